/** Commands of a balancer made real: dials, spares, streams and refusals of one name. */
import type { Socket } from 'node:net';
import { EMPTY, Observable } from 'rxjs';
import type { Outcome, Ports } from './balancer/balance.ts';
import type { Command } from './balancer/messages.ts';
import type { Close, CloseReason } from './close-reason.ts';
import type { ClientPolicy } from './config/config.ts';
import { connect } from './connector/connect.ts';
import { watchSpare } from './connector/spare.ts';
import type { BufferBudget } from './duplex/budget.ts';
import { openDuplex } from './duplex/duplex.ts';
import type { Summary } from './duplex/stream.ts';
import type { Envelope } from './envelope.ts';
import type { RouterEvent } from './event.ts';
import type { Path } from './path.ts';
import type { Client, Clients } from './server/clients.ts';
import type { Descriptors } from './server/descriptors.ts';
import type { Timers } from './timers.ts';

/** What the sockets of a process share. */
export interface Plant {
  readonly clients: Clients;
  readonly descriptors: Descriptors;
  readonly budget: BufferBudget;
  readonly timers: Timers;
  readonly report: (event: RouterEvent) => void;
}

/** One name of one router. */
export interface NameSetup {
  readonly rt: string;
  readonly dst: Path;
  /** The policy in force for new dials. */
  readonly policy: () => ClientPolicy;
}

/** The limit that ended a connection, and where it is configured. */
type Rule = Pick<Close, 'limit' | 'place'>;

/** A client to turn away. */
export interface Refusal {
  readonly conn: number;
  readonly reason: CloseReason;
  /** Dials made for it. */
  readonly attempts: number;
  readonly detail?: string;
  readonly rule: (client: Client) => Rule;
}

/** Turns a client away that was never joined with an endpoint, and tells its end; nothing if it is not here. */
export const refuseClient = (
  plant: Plant,
  { conn, reason, attempts, detail, rule }: Refusal,
): void => {
  const client = plant.clients.refuse(conn);
  if (client === undefined) return;
  const { envelope } = client;
  const by = reason === 'departed' ? 'client' : 'proxy';
  const close: Close = { reason, by, ...rule(client), ...(detail === undefined ? {} : { detail }) };
  const totalMs = plant.timers.now() - envelope.at;
  plant.report({ t: 'ended', record: { envelope, attempts, rx: 0, tx: 0, totalMs, close } });
};

type Of<T extends Command['t']> = Extract<Command, { readonly t: T }>;

/** An end before the first byte counts against the endpoint only within so many ms; later it was a quiet stream. */
const SPURN_MS = 1000;

/** Owns the endpoint’s socket from its connection until the stream takes it. */
class Streams implements Ports {
  readonly #setup: Plant & NameSetup;
  /** Dials in flight: how to drop them. */
  readonly #dialing = new Map<number, () => void>();
  /** Connected and not yet joined with a client. */
  readonly #connected = new Map<number, Socket>();
  /** Spares: how to stop watching them. */
  readonly #unwatch = new Map<number, () => void>();

  constructor(setup: Plant & NameSetup) {
    this.#setup = setup;
  }

  readonly watchClient = (conn: number, departed: (detail: string) => void): void =>
    this.#setup.clients.watch(conn, departed);

  readonly perform = (command: Command): Observable<Outcome> => {
    switch (command.t) {
      case 'connect':
        return this.#connect(command);
      case 'dispatch':
        return this.#dispatch(command);
      case 'watch':
        return this.#watch(command);
      case 'abort':
        this.#dialing.get(command.dial)?.();
        return EMPTY;
      case 'close':
        this.#take(command.dial)?.destroy();
        return EMPTY;
      case 'refuse':
        this.#refuse(command);
        return EMPTY;
      case 'tell':
        this.#tell(command);
        return EMPTY;
    }
  };

  #connect({ dial, address }: Of<'connect'>): Observable<Outcome> {
    const { rt, dst, report, policy } = this.#setup;
    const name = { rt, dst, endpoint: address.text };
    return new Observable<Outcome>((out) => {
      report({ t: 'dialed', ...name });
      this.#dialing.set(dial, () => out.complete());
      out.add(() => this.#dialing.delete(dial));
      const outcome$ = connect(address, policy(), this.#setup);
      out.add(
        outcome$.subscribe((outcome) => {
          if (outcome.t === 'connected') {
            const { us, socket } = outcome;
            this.#connected.set(dial, socket);
            report({ t: 'connected', ...name, us });
            out.next({ t: 'connected', dial });
          } else {
            const { cause, detail } = outcome;
            report({ t: 'dialFailed', ...name, cause, detail });
            out.next({ t: 'connectFailed', dial, cause, detail });
          }
          out.complete();
        }),
      );
    });
  }

  #watch({ dial }: Of<'watch'>): Observable<Outcome> {
    return new Observable<Outcome>((out) => {
      const socket = this.#connected.get(dial);
      const gone = (): void => {
        this.#take(dial)?.destroy();
        out.next({ t: 'lost', dial });
        out.complete();
      };
      if (socket === undefined) return;
      const unwatch = watchSpare(socket, gone);
      this.#unwatch.set(dial, () => {
        unwatch();
        out.complete();
      });
    });
  }

  /** Takes a connected socket out of the table; whoever gets it owns it. */
  #take(dial: number): Socket | undefined {
    const socket = this.#connected.get(dial);
    this.#connected.delete(dial);
    this.#unwatch.get(dial)?.();
    this.#unwatch.delete(dial);
    return socket;
  }

  #dispatch(command: Of<'dispatch'>): Observable<Outcome> {
    // A stream outlives its subscriber: only its own limits, its sockets or an abort end it.
    return new Observable<Outcome>((out) => {
      const { dial, conn, attempts } = command;
      const socket = this.#take(dial);
      const client = this.#setup.clients.take(conn);
      const closed = (spurned: boolean): void => {
        out.next({ t: 'closed', dial, spurned });
        out.complete();
      };
      if (client === undefined || socket === undefined) {
        socket?.destroy();
        this.#refuse({ t: 'refuse', conn, attempts, reason: 'departed' });
        closed(false);
        return;
      }
      this.#join({
        command,
        client,
        socket,
        closed,
        answered: () => out.next({ t: 'answered', dial }),
      });
    });
  }

  #join(pair: {
    readonly command: Of<'dispatch'>;
    readonly client: Client;
    readonly socket: Socket;
    readonly answered: () => void;
    readonly closed: (spurned: boolean) => void;
  }): void {
    const { clients, timers, budget, report } = this.#setup;
    const { command, client, socket, answered, closed } = pair;
    const { envelope, limits } = client;
    const openedAt = timers.now();
    const endpoint = command.address.text;
    report({ t: 'opened', envelope, endpoint, connectMs: openedAt - envelope.at });
    const ended = (summary: Summary): void => {
      clients.leave(envelope.id);
      this.#ended(envelope, { summary, endpoint, openedAt, attempts: command.attempts });
      const { answeredAt, endpointFirst } = summary;
      const early = timers.now() - openedAt < SPURN_MS;
      closed(early && endpointFirst && answeredAt === undefined);
    };
    const stream = openDuplex(client.socket, socket, {
      limits,
      timers,
      budget,
      answered,
      closed: ended,
    });
    clients.streaming(envelope.id, stream);
  }

  #ended(
    envelope: Envelope,
    end: { summary: Summary; endpoint: string; openedAt: number; attempts: number },
  ): void {
    const { timers, report } = this.#setup;
    const { summary, endpoint, openedAt, attempts } = end;
    const { rx, tx, close, answeredAt } = summary;
    const firstByte = answeredAt === undefined ? {} : { firstByteMs: answeredAt - openedAt };
    const connectMs = openedAt - envelope.at;
    const totalMs = timers.now() - envelope.at;
    const record = {
      envelope,
      endpoint,
      attempts,
      rx,
      tx,
      connectMs,
      ...firstByte,
      totalMs,
      close,
    };
    report({ t: 'ended', record });
  }

  #refuse({ conn, reason, attempts, detail }: Of<'refuse'>): void {
    const rule = (client: Client): Rule => this.#ruleOf(reason, client);
    refuseClient(this.#setup, {
      conn,
      reason,
      attempts,
      rule,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** The limit that turned a connection away, and where it is configured. */
  #ruleOf(reason: CloseReason, { envelope, limits: { place } }: Client): Rule {
    const { emptyWaitMs, maxWaiters } = this.#setup.policy();
    const { at, deadline } = envelope;
    if (reason === 'connect-timeout') return { limit: `${Math.round(deadline - at)}ms`, place };
    if (reason === 'no-endpoints') return { limit: `${emptyWaitMs}ms` };
    if (reason === 'max-waiters') return { limit: `${maxWaiters}` };
    return {};
  }

  #tell({ what, address, penaltyMs }: Of<'tell'>): void {
    const { rt, dst, report } = this.#setup;
    const event = { t: what, rt, dst, endpoint: address.text } as const;
    report(penaltyMs === undefined ? event : { ...event, penaltyMs });
  }
}

/** Makes the ports of one name’s balancer on real sockets. */
export const makeStreams = (plant: Plant, name: NameSetup): Ports =>
  new Streams({ ...plant, ...name });
