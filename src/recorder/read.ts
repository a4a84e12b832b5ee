/** Records in memory made lines again: NDJSON. */
import type { FrozenCommand, FrozenEvent } from '../balancer/frozen-messages.ts';
import { SegmentReader } from './segment.ts';
import { COMMAND, NONE, RECORD } from './write.ts';

const stepLine = (name: number, event: string, commands: readonly unknown[]): string =>
  `{"t":"step","name":${name},"event":${event},"commands":${JSON.stringify(commands)}}`;

/** Of a kind that is known here; what has no line is a fault of ours. */
const unknown = (what: string, kind: number): never => {
  throw new Error(`no ${what} of kind ${kind}`);
};

const readCheckpoint = (from: SegmentReader): string => {
  const [name, rt, dst, state] = [from.index(), from.word(), from.word(), from.text()];
  const lead = JSON.stringify({ t: 'checkpoint', name, rt, dst });
  return `${lead.slice(0, -1)},"state":${state}}`;
};

const readEnvelope = (from: SegmentReader): string => {
  const [id, at, deadline] = [from.number(), from.number(), from.number()];
  const [rt, srv, dst, rule] = [from.word(), from.word(), from.word(), from.word()];
  const src = from.text();
  const extras = from.text();
  const lead = JSON.stringify({ t: 'envelope', id, rt, srv, src, dst, rule, at, deadline });
  return extras === '' ? lead : `${lead.slice(0, -1)},${extras.slice(1)}`;
};

const readCommand = (from: SegmentReader): FrozenCommand | Readonly<Record<string, unknown>> => {
  const kind = from.byte();
  switch (kind) {
    case COMMAND.connect: {
      const [dial, address, conn] = [from.number(), from.word(), from.number()];
      return { t: 'connect', dial, address, ...(conn === NONE ? {} : { conn }) };
    }
    case COMMAND.abort:
      return { t: 'abort', dial: from.number() };
    case COMMAND.close:
      return { t: 'close', dial: from.number() };
    case COMMAND.watch:
      return { t: 'watch', dial: from.number() };
    case COMMAND.dispatch: {
      const [conn, dial] = [from.number(), from.number()];
      return { t: 'dispatch', conn, dial, address: from.word(), attempts: from.number() };
    }
    case COMMAND.refuse: {
      const [conn, reason] = [from.number(), from.word()];
      const [attempts, detail] = [from.number(), from.word()];
      return { t: 'refuse', conn, reason, attempts, ...(detail === '' ? {} : { detail }) };
    }
    case COMMAND.tell: {
      const [what, address, penaltyMs] = [from.word(), from.word(), from.number()];
      return { t: 'tell', what, address, ...(penaltyMs === NONE ? {} : { penaltyMs }) };
    }
    default:
      return unknown('command', kind);
  }
};

/** The event as JSON. */
const readEvent = (kind: number, at: number, from: SegmentReader): string => {
  const told = (event: FrozenEvent | Readonly<Record<string, unknown>>): string =>
    JSON.stringify(event);
  switch (kind) {
    case RECORD.arrived:
      return told({ t: 'arrived', at, conn: from.number(), deadline: from.number() });
    case RECORD.departed:
      return told({ t: 'departed', at, conn: from.number(), detail: from.word() });
    case RECORD.connectFailed: {
      const [dial, cause, detail] = [from.number(), from.word(), from.word()];
      return told({ t: 'connectFailed', at, dial, cause, detail });
    }
    case RECORD.closed:
      return told({ t: 'closed', at, dial: from.number(), spurned: from.byte() === 1 });
    case RECORD.connected:
      return told({ t: 'connected', at, dial: from.number() });
    case RECORD.answered:
      return told({ t: 'answered', at, dial: from.number() });
    case RECORD.lost:
      return told({ t: 'lost', at, dial: from.number() });
    case RECORD.ticked:
      return told({ t: 'ticked', at });
    case RECORD.released:
      return told({ t: 'released', at });
    case RECORD.other:
      return from.text();
    default:
      return unknown('record', kind);
  }
};

const readRecord = (from: SegmentReader): string => {
  const kind = from.byte();
  if (kind === RECORD.checkpoint) return readCheckpoint(from);
  if (kind === RECORD.envelope) return readEnvelope(from);
  const name = from.index();
  if (kind === RECORD.gone) return JSON.stringify({ t: 'gone', name });
  const event = readEvent(kind, from.number(), from);
  const count = from.index();
  return stepLine(
    name,
    event,
    Array.from({ length: count }, () => readCommand(from)),
  );
};

/** The lines of what was written by now, one by one, without line breaks. */
export function* readSegment(since: number, pieces: readonly Buffer[]): Generator<string> {
  yield JSON.stringify({ t: 'segment', at: since });
  const from = new SegmentReader(pieces);
  while (!from.isOver) yield readRecord(from);
}
