/** The clients of a virtual router: who they are, how long they stay, and what became of them. */
import type { CloseReason } from '../close-reason.ts';
import type { Envelope } from '../envelope.ts';
import type { RouterEvent } from '../event.ts';
import type { Timers } from '../timers.ts';
import type { Network } from './network.ts';

/** One client from its envelope on. */
export interface Visit {
  envelope: Envelope;
  /** How long its stream lasts. */
  readonly lastsMs: number;
  /** The longest life that its server allows. */
  readonly lifetimeMs: number;
  /** Its server counts it no more. */
  readonly left: () => void;
}

/** Somebody who is turned away. */
export interface TurnedOff {
  readonly conn: number;
  readonly reason: CloseReason;
  readonly attempts: number;
  readonly detail?: string;
}

/** What stands in for the sockets of a process. */
export class Plane {
  readonly timers: Timers;
  readonly network: Network;
  readonly report: (event: RouterEvent) => void;
  readonly #visits = new Map<number, Visit>();
  readonly #waiting = new Map<number, ((detail: string) => void) | undefined>();

  constructor(timers: Timers, network: Network, report: (event: RouterEvent) => void) {
    this.timers = timers;
    this.network = network;
    this.report = report;
  }

  /** Clients that are here, waiting or streaming. */
  get size(): number {
    return this.#visits.size;
  }

  add(visit: Visit): void {
    this.#visits.set(visit.envelope.id, visit);
    this.#waiting.set(visit.envelope.id, undefined);
  }

  /** Calls back if the client goes away while it waits. */
  watch(id: number, departed: (detail: string) => void): void {
    if (this.#waiting.has(id)) this.#waiting.set(id, departed);
  }

  revise(envelope: Envelope): void {
    const visit = this.#visits.get(envelope.id);
    if (visit !== undefined) visit.envelope = envelope;
  }

  /** The client goes away, unless it has an endpoint. */
  depart(id: number): void {
    const departed = this.#waiting.get(id);
    this.#waiting.delete(id);
    departed?.('ECONNRESET');
  }

  /** It gets its endpoint; `undefined`: it has gone. */
  readonly take = (id: number): Visit | undefined => {
    if (!this.#waiting.delete(id)) return undefined;
    return this.#visits.get(id);
  };

  leave(id: number): void {
    const visit = this.#visits.get(id);
    this.#visits.delete(id);
    this.#waiting.delete(id);
    visit?.left();
  }

  refuse({ conn, reason, attempts, detail }: TurnedOff): void {
    const visit = this.#visits.get(conn);
    if (visit === undefined) return;
    this.leave(conn);
    const { envelope } = visit;
    const by = reason === 'departed' ? 'client' : 'proxy';
    const close = { reason, by, ...(detail === undefined ? {} : { detail }) } as const;
    const totalMs = this.timers.now() - envelope.at;
    this.report({ t: 'ended', record: { envelope, attempts, rx: 0, tx: 0, totalMs, close } });
  }

  /** Who waits for a name. */
  waiting(rt: string, dst: string): readonly number[] {
    return [...this.#waiting.keys()].filter((id) => {
      const envelope = this.#visits.get(id)?.envelope;
      return envelope?.rt === rt && envelope.dst === dst;
    });
  }
}
