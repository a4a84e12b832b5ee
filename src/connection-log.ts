/** Which events make a log line, and what the line says. */
import { showClose } from './close-reason.ts';
import type { ConnectionRecord, OperatorEvent, RouterEvent } from './event.ts';
import type { Fields, Log } from './log.ts';

const tenths = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 10) / 10;

const notesOf = (notes: Readonly<Record<string, string>>): Fields =>
  Object.fromEntries(Object.entries(notes).map(([key, note]) => [`note.${key}`, note]));

/** What the line of a connection says. */
const fieldsOf = (record: ConnectionRecord): Fields => {
  const { envelope, close } = record;
  const { id, rt, srv, src, dst, rule, peer, sni, alpn, tls, cert, notes } = envelope;
  return {
    id,
    rt,
    srv,
    src,
    dst,
    endpoint: record.endpoint,
    attempts: record.attempts,
    rx: record.rx,
    tx: record.tx,
    connectMs: tenths(record.connectMs),
    firstByteMs: tenths(record.firstByteMs),
    totalMs: tenths(record.totalMs),
    // A server with one name has one rule.
    rule: rule.endsWith('dstName') ? undefined : rule,
    peer,
    sni,
    alpn,
    tls,
    cert: cert === undefined ? undefined : (cert.spiffe ?? cert.cn ?? cert.subject),
    ...(notes === undefined ? {} : notesOf(notes)),
    by: close.by,
    reason: showClose(close),
  };
};

/** One line per connection, at its end. */
const logEnd = (log: Log, record: ConnectionRecord): void =>
  log(record.close.reason === 'internal' ? 'error' : 'info', 'connection closed', () =>
    fieldsOf(record),
  );

/** Writes the line of what an operator did that it should not. */
export const logOperator = (log: Log, event: { readonly rt: string } & OperatorEvent): void => {
  const named = { rt: event.rt, operator: event.name };
  switch (event.t) {
    case 'broke': {
      const { error, pauseMs } = event;
      log('error', 'an operator broke, it begins anew', { ...named, error, pauseMs });
      break;
    }
    case 'strayed':
      log('warn', 'an operator gave what it did not have', named);
      break;
    case 'kept':
      log('warn', 'an operator ended and gave back none of what it kept', {
        ...named,
        connections: event.count,
      });
      break;
  }
};

/** Writes the line of an event, if it has one. Admission and look-ups tell of themselves, by episodes. */
export const logEvent = (log: Log, event: RouterEvent): void => {
  switch (event.t) {
    case 'ended':
      logEnd(log, event.record);
      break;
    case 'listening':
      log('info', 'listening', { rt: event.rt, srv: event.srv });
      break;
    case 'unlistened':
      log('info', 'stopped listening', { rt: event.rt, srv: event.srv });
      break;
    case 'failed':
    case 'restored': {
      const { t, rt, dst, endpoint, penaltyMs } = event;
      const message = t === 'failed' ? 'endpoint put aside' : 'endpoint restored';
      log(t === 'failed' ? 'warn' : 'info', message, { rt, dst, endpoint, penaltyMs });
      break;
    }
    case 'rejected': {
      const { rt, srv, src, close } = event;
      log('debug', 'connection rejected', { rt, srv, src, reason: showClose(close) });
      break;
    }
    case 'dialFailed': {
      const { rt, dst, endpoint, cause, detail } = event;
      log('debug', 'dial failed', { rt, dst, endpoint, cause, detail });
      break;
    }
    case 'named':
    case 'unnamed':
      log('debug', event.t === 'named' ? 'name bound' : 'name let go', {
        rt: event.rt,
        dst: event.dst,
      });
      break;
    case 'broke':
    case 'strayed':
    case 'kept':
      logOperator(log, event);
      break;
    default:
      return;
  }
};

/** Tells that connections run without handles: as correct, and dearer. On Linux that is worth a word. */
export const logSockets = (log: Log, kind: 'handle' | 'stream'): void => {
  if (kind === 'handle' || process.platform !== 'linux') return;
  log(
    'warn',
    'connections run on sockets of Node, which cost up to twice as much: run a Node whose handles are known',
    { node: process.version, known: 'v20, v24, v26' },
  );
};
