/** The fold of events into numbers: which event counts where. Pure. */
import type { Close, CloseReason } from '../close-reason.ts';
import type { ConnectionRecord, NameEvent, ResolverEvent, RouterEvent } from '../event.ts';
import type { Tally } from './series.ts';
import type { Tallies } from './tallies.ts';
import { tlsCauseOf } from './tls-cause.ts';

/** Reasons that mean: the name had no endpoint to give. */
const UNAVAILABLE: ReadonlySet<CloseReason> = new Set([
  'no-endpoints',
  'no-such-name',
  'connect-failed',
  'retry-budget',
]);

const TIMEOUTS: ReadonlySet<CloseReason> = new Set([
  'connect-timeout',
  'idle-timeout',
  'lifetime',
  'half-close-timeout',
]);

const causeOf = (reason: CloseReason): 'timeout' | 'other' =>
  TIMEOUTS.has(reason) ? 'timeout' : 'other';

/** Makes the fold. Events of a name count from its `named` to its `unnamed`; outside they make no series. */
export const counter =
  (tallies: Tallies): ((event: RouterEvent) => void) =>
  (event) => {
    switch (event.t) {
      case 'listening':
      case 'unlistened':
        tallies.listens(event.rt, event.srv, event.t === 'listening');
        break;
      case 'accepted':
        tallies.server(event.rt, event.srv).add('l5d:srv:accepts');
        break;
      case 'secured':
        countHandshake(tallies.server(event.rt, event.srv), event);
        break;
      case 'peeked':
        tallies.server(event.rt, event.srv).addBy('l5d:srv:peeked', event.found);
        break;
      case 'rejected':
        countRejection(tallies.server(event.rt, event.srv), event.close);
        break;
      case 'named':
      case 'unnamed':
      case 'routed':
      case 'unrouted':
        countRoute(tallies, event);
        break;
      case 'broke':
        tallies.router(event.rt).add('l5d:operator:failures');
        break;
      case 'strayed':
        tallies.router(event.rt).add('l5d:operator:strays');
        break;
      case 'resolved':
        countLookUp(tallies, event);
        break;
      default:
        countConnection(tallies, event);
    }
  };

/** Turned away by admission, before they counted as accepted. */
const NOT_ACCEPTED: ReadonlySet<CloseReason> = new Set([
  'max-concurrency',
  'fd-limit',
  'max-buffered-bytes',
]);

const countHandshake = (
  server: Tally,
  { us, isResumed }: Extract<RouterEvent, { t: 'secured' }>,
): void => {
  server.observe('l5d:srv:tls:handshake_us', us);
  if (isResumed) server.add('l5d:srv:tls:resumed');
};

const countRejection = (server: Tally, { reason, detail = '' }: Close): void => {
  if (reason === 'tls-handshake') server.addBy('l5d:srv:tls:failure', tlsCauseOf(detail));
  if (reason === 'tls-timeout') server.addBy('l5d:srv:tls:failure', 'timeout');
  server.addBy('l5d:srv:rejected', reason);
  server.add('l5d:srv:failures');
  if (NOT_ACCEPTED.has(reason)) return;
  server.add('l5d:srv:closes');
  server.addBy('l5d:srv:close', reason);
};

type RouteEvent = Extract<NameEvent, { t: 'named' | 'unnamed' | 'routed' | 'unrouted' }>;

const countRoute = (tallies: Tallies, event: RouteEvent): void => {
  const router = tallies.router(event.rt);
  switch (event.t) {
    case 'named':
      router.add('l5d:route_create');
      tallies.names.add(event.rt, event.dst);
      break;
    case 'unnamed':
      tallies.names.remove(event.rt, event.dst);
      break;
    case 'unrouted':
      router.add('l5d:route_error');
      break;
    case 'routed':
      if (!event.isNew) router.add('l5d:route_found');
      router.observe('l5d:route_time_us', event.us);
  }
};

const countConnection = (tallies: Tallies, event: RouterEvent): void => {
  switch (event.t) {
    case 'dialed':
      tallies.names.get(event.rt, event.dst)?.add('l5d:balancer:connection:attempts');
      break;
    case 'connected': {
      const name = tallies.names.get(event.rt, event.dst);
      name?.add('l5d:balancer:connection:connects');
      name?.observe('l5d:balancer:connection:latency_us', event.us);
      break;
    }
    case 'dialFailed': {
      const cause = event.cause === 'local' ? 'other' : event.cause;
      tallies.names.get(event.rt, event.dst)?.addBy('l5d:balancer:connection:failure', cause);
      break;
    }
    case 'opened': {
      const { rt, srv, dst } = event.envelope;
      const us = event.connectMs * 1000;
      tallies.server(rt, srv).observe('l5d:srv:connect:latency_us', us);
      tallies.names.get(rt, dst)?.observe('l5d:balancer:poll_time_us', us);
      break;
    }
    case 'ended':
      countEnd(tallies, event.record);
      break;
  }
};

const countEnd = (tallies: Tallies, record: ConnectionRecord): void => {
  const { rt, srv, dst } = record.envelope;
  const { reason } = record.close;
  const server = tallies.server(rt, srv);
  server.add('l5d:srv:closes');
  server.addBy('l5d:srv:close', reason);
  if (reason !== 'end') server.add('l5d:srv:failures');
  if (record.endpoint !== undefined) {
    countStream(tallies, record);
    return;
  }
  server.addBy('l5d:srv:connect:failure', causeOf(reason));
  if (UNAVAILABLE.has(reason)) tallies.names.get(rt, dst)?.add('l5d:balancer:unavailable');
};

const countStream = (tallies: Tallies, record: ConnectionRecord): void => {
  const { rx, tx, totalMs, connectMs = 0 } = record;
  const { rt, srv, dst } = record.envelope;
  const { reason } = record.close;
  const server = tallies.server(rt, srv);
  if (reason !== 'end') server.addBy('l5d:srv:stream:failure', causeOf(reason));
  server.add('l5d:srv:stream:rx_bytes', rx);
  server.add('l5d:srv:stream:tx_bytes', tx);
  server.observe('l5d:srv:stream:connection_rx_bytes', rx);
  server.observe('l5d:srv:stream:connection_tx_bytes', tx);
  server.observe('l5d:srv:stream:duration_ms', totalMs - connectMs);
  tallies.names.get(rt, dst)?.observe('l5d:balancer:connection:duration_ms', totalMs - connectMs);
};

const countLookUp = (tallies: Tallies, { rt, namespace, ok, ms }: ResolverEvent): void => {
  const tally = tallies.namespace(rt, namespace);
  tally.add(ok ? 'l5d:resolver:success_count' : 'l5d:resolver:failure_count');
  tally.observe('l5d:resolver:request_latency_ms', ms);
};
