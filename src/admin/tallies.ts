/** The fold of events into numbers: who counts what. Pure. */
import type { ConnectionRecord, ResolverEvent, RouterEvent } from '../event.ts';
import { Tally } from './series.ts';

/** The name that the rest share when there are more names than `maxNameSeries`; no path can be it. */
export const OTHER_NAMES = '…';

const NO_ENDPOINT = ['no-endpoints', 'no-such-name', 'connect-failed', 'retry-budget'];
const TIMEOUTS = ['idle-timeout', 'lifetime', 'half-close-timeout', 'connect-timeout'];

const causeOf = (reason: string): 'timeout' | 'other' =>
  TIMEOUTS.includes(reason) ? 'timeout' : 'other';

/** A tally per router, namespace, server and name. Two levels of maps: joining labels into keys costs more. */
export class Tallies {
  readonly routers = new Map<string, Tally>();
  readonly namespaces = new Map<string, Map<string, Tally>>();
  readonly servers = new Map<string, Map<string, Tally>>();
  readonly names = new Map<string, Map<string, Tally>>();
  readonly #mostNames: () => number;
  #nameCount = 0;

  constructor(mostNames: () => number) {
    this.#mostNames = mostNames;
  }

  readonly record = (event: RouterEvent): void => {
    switch (event.t) {
      case 'accepted':
        this.#server(event.rt, event.srv).add('l5d:srv:accepts');
        break;
      case 'secured':
        this.#server(event.rt, event.srv).observe('l5d:srv:tls:handshake_us', event.us);
        break;
      case 'rejected':
        this.#rejected(this.#server(event.rt, event.srv), event.close.reason);
        break;
      case 'ended':
        this.#ended(event.record);
        break;
      case 'resolved':
        this.#resolved(event);
        break;
      default:
        this.#named(event);
    }
  };

  #named(event: RouterEvent): void {
    switch (event.t) {
      case 'named':
        this.#router(event.rt).add('l5d:route_create');
        break;
      case 'routed':
        if (!event.isNew) this.#router(event.rt).add('l5d:route_found');
        this.#router(event.rt).observe('l5d:route_time_us', event.us);
        break;
      case 'unrouted':
        this.#router(event.rt).add('l5d:route_error');
        break;
      case 'unnamed':
        this.#forget(event.rt, event.dst);
        break;
      case 'dialed':
        this.#name(event.rt, event.dst).add('l5d:balancer:connection:attempts');
        break;
      case 'connected': {
        const name = this.#name(event.rt, event.dst);
        name.add('l5d:balancer:connection:connects');
        name.observe('l5d:balancer:connection:latency_us', event.us);
        break;
      }
      case 'dialFailed': {
        const cause = event.cause === 'local' ? 'other' : event.cause;
        this.#name(event.rt, event.dst).add(`l5d:balancer:connection:failure ${cause}`);
        break;
      }
      case 'opened': {
        const { rt, srv, dst } = event.envelope;
        const us = event.connectMs * 1000;
        this.#server(rt, srv).observe('l5d:srv:connect:latency_us', us);
        this.#name(rt, dst).observe('l5d:balancer:poll_time_us', us);
        break;
      }
    }
  }

  #rejected(server: Tally, reason: string): void {
    server.add('l5d:srv:closes');
    server.add('l5d:srv:failures');
    server.add(`l5d:srv:rejected ${reason}`);
    server.add(`l5d:srv:close ${reason}`);
  }

  #ended(record: ConnectionRecord): void {
    const { envelope, endpoint, rx, tx, totalMs, connectMs = totalMs, close } = record;
    const { rt, srv, dst } = envelope;
    const { reason } = close;
    const server = this.#server(rt, srv);
    server.add('l5d:srv:closes');
    server.add(`l5d:srv:close ${reason}`);
    if (reason !== 'end') server.add('l5d:srv:failures');
    if (endpoint === undefined) {
      server.add(`l5d:srv:connect:failure ${causeOf(reason)}`);
      if (NO_ENDPOINT.includes(reason)) this.#name(rt, dst).add('l5d:balancer:unavailable');
      return;
    }
    if (reason !== 'end') server.add(`l5d:srv:stream:failure ${causeOf(reason)}`);
    server.add('l5d:srv:stream:rx_bytes', rx);
    server.add('l5d:srv:stream:tx_bytes', tx);
    server.observe('l5d:srv:stream:connection_rx_bytes', rx);
    server.observe('l5d:srv:stream:connection_tx_bytes', tx);
    server.observe('l5d:srv:stream:duration_ms', totalMs - connectMs);
    this.#name(rt, dst).observe('l5d:balancer:connection:duration_ms', totalMs - connectMs);
  }

  #resolved({ rt, namespace, ok, ms }: ResolverEvent): void {
    const tally = this.#within(this.namespaces, rt, namespace, 'namespace');
    tally.add(ok ? 'l5d:resolver:success_count' : 'l5d:resolver:failure_count');
    tally.observe('l5d:resolver:request_latency_ms', ms);
  }

  #router(rt: string): Tally {
    const tally = this.routers.get(rt) ?? new Tally({ rt });
    this.routers.set(rt, tally);
    return tally;
  }

  #server(rt: string, srv: string): Tally {
    return this.#within(this.servers, rt, srv, 'srv_addr');
  }

  #within(group: Map<string, Map<string, Tally>>, rt: string, key: string, label: string): Tally {
    const known = group.get(rt)?.get(key);
    if (known !== undefined) return known;
    const tally = new Tally({ [label]: key, rt });
    const inner = group.get(rt) ?? new Map<string, Tally>();
    group.set(rt, inner.set(key, tally));
    return tally;
  }

  #name(rt: string, dst: string): Tally {
    const known = this.names.get(rt)?.get(dst);
    if (known !== undefined) return known;
    if (this.#nameCount >= this.#mostNames())
      return this.#within(this.names, rt, OTHER_NAMES, 'dst');
    this.#nameCount += 1;
    return this.#within(this.names, rt, dst, 'dst');
  }

  #forget(rt: string, dst: string): void {
    const names = this.names.get(rt);
    if (names?.delete(dst) === true) this.#nameCount -= 1;
    if (names?.size === 0) this.names.delete(rt);
  }
}
