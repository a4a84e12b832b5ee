/** Commands of a balancer made real: dials, spares, streams and refusals of one name. */
import type { Ports, Tell } from './balancer/balance.ts';
import type { Command } from './balancer/messages.ts';
import type { CloseReason } from './close-reason.ts';
import type { ClientPolicy } from './config/config.ts';
import { type ConnectOutcome, connect, failLater } from './connector/connect.ts';
import { Spare } from './connector/spare.ts';
import { openDuplex } from './duplex/duplex.ts';
import type { Summary } from './duplex/stream.ts';
import { type Introduction, introduce } from './introduction.ts';
import { Meter } from './meter.ts';
import type { Path } from './path.ts';
import { type Plant, type Rule, refuseClient } from './plant.ts';
import type { Client } from './server/clients.ts';
import { type Begun, fresh } from './socket/read-ahead.ts';
import { Table } from './table.ts';

/** One name of one router. */
export interface NameSetup {
  readonly rt: string;
  readonly dst: Path;
  /** The policy in force for new dials. */
  readonly policy: () => ClientPolicy;
}

type Of<T extends Command['t']> = Extract<Command, { readonly t: T }>;

/** An end before the first byte counts against the endpoint only within so many ms; later it was a quiet stream. */
const SPURN_MS = 1000;

const NOTHING: Introduction = {};

/** A client joined with an endpoint. */
interface Pair {
  readonly command: Of<'dispatch'>;
  readonly client: Client;
  readonly openedAt: number;
}

/** Owns the endpoint’s socket from its connection until the stream takes it. */
class Streams implements Ports {
  readonly #plant: Plant;
  readonly #name: NameSetup;
  /** Dials in flight: how to drop them. */
  readonly #dialing = new Table<number, () => void>();
  /** Connected and not yet joined with a client, spares among them. */
  readonly #connected = new Table<number, Begun>();
  readonly #meter = new Meter();

  constructor(plant: Plant, name: NameSetup) {
    this.#plant = plant;
    this.#name = name;
  }

  readonly watchClient = (conn: number, departed: (detail: string) => void): void =>
    this.#plant.clients.watch(conn, departed);

  readonly perform = (command: Command, tell: Tell): void => {
    switch (command.t) {
      case 'connect':
        this.#connect(command, tell);
        break;
      case 'dispatch':
        this.#dispatch(command, tell);
        break;
      case 'watch':
        this.#watch(command, tell);
        break;
      case 'abort':
        this.#dialing.take(command.dial)?.();
        break;
      case 'close':
        this.#take(command.dial)?.socket.destroy();
        break;
      case 'refuse':
        this.#refuse(command);
        break;
      case 'tell':
        this.#report(command);
        break;
    }
  };

  readonly sample = (): ReadonlyMap<string, number> => this.#meter.read();

  readonly close = (): void => {
    for (const drop of this.#dialing.values()) drop();
    this.#dialing.clear();
    for (const dial of [...this.#connected.keys()]) this.#take(dial)?.socket.destroy();
  };

  #connect({ dial, address, conn }: Of<'connect'>, tell: Tell): void {
    const { rt, dst } = this.#name;
    const policy = this.#name.policy();
    this.#plant.report({ t: 'dialed', rt, dst, endpoint: address.text });
    const done = (outcome: ConnectOutcome): void => {
      this.#dialing.delete(dial);
      this.#dialed(address.text, outcome);
      if (outcome.t === 'connected') {
        this.#connected.set(dial, fresh(outcome.socket));
        tell({ t: 'connected', dial });
      } else {
        tell({ t: 'connectFailed', dial, cause: outcome.cause, detail: outcome.detail });
      }
    };
    const said = this.#introduce(policy, conn);
    this.#dialing.set(
      dial,
      'lacks' in said
        ? failLater(said.lacks, done, this.#plant)
        : connect({ address, policy, done, ...said }, this.#plant),
    );
  }

  /** Most policies say nothing of whom a connection is for. */
  #introduce(policy: ClientPolicy, conn: number | undefined): Introduction {
    const { serverName, proxyProtocol } = policy;
    if (serverName === undefined && proxyProtocol === undefined) return NOTHING;
    const waiter = conn === undefined ? undefined : this.#plant.clients.waiter(conn);
    if (waiter === undefined) return introduce(policy, undefined);
    const { envelope, socket } = waiter;
    return introduce(policy, { envelope, local: () => socket.local() });
  }

  #dialed(endpoint: string, outcome: ConnectOutcome): void {
    const { rt, dst } = this.#name;
    if (outcome.t === 'connected') {
      this.#plant.report({ t: 'connected', rt, dst, endpoint, us: outcome.us });
    } else {
      const { cause, detail } = outcome;
      this.#plant.report({ t: 'dialFailed', rt, dst, endpoint, cause, detail });
    }
  }

  #watch({ dial }: Of<'watch'>, tell: Tell): void {
    const socket = this.#connected.get(dial)?.socket;
    if (socket === undefined) return;
    const spare = new Spare(socket, () => {
      this.#take(dial);
      tell({ t: 'lost', dial });
    });
    this.#connected.set(dial, spare);
    spare.begin();
  }

  /** Takes a connected socket out of the table; whoever gets it owns it. */
  #take(dial: number): Begun | undefined {
    return this.#connected.take(dial);
  }

  #dispatch(command: Of<'dispatch'>, tell: Tell): void {
    const { clients, timers, budget, report } = this.#plant;
    const { dial, conn, attempts, address } = command;
    const endpoint = this.#take(dial);
    const client = clients.take(conn);
    if (client === undefined || endpoint === undefined) {
      endpoint?.socket.destroy();
      this.#refuse({ t: 'refuse', conn, attempts, reason: 'departed' });
      tell({ t: 'closed', dial, spurned: false });
      return;
    }
    const { envelope, limits } = client;
    const openedAt = timers.now();
    const pair: Pair = { command, client, openedAt };
    report({ t: 'opened', envelope, endpoint: address.text, connectMs: openedAt - envelope.at });
    const stream = openDuplex(client, endpoint, {
      limits,
      timers,
      budget,
      answered: () => tell({ t: 'answered', dial }),
      closed: (summary) => tell({ t: 'closed', dial, spurned: this.#ended(pair, summary) }),
    });
    clients.streaming(envelope.id, stream);
    if (this.#name.policy().loadBalancer.load === 'throughput')
      this.#meter.add(dial, address.text, stream);
  }

  /** Tells the end of a stream; gives whether its endpoint had spurned the client. */
  #ended({ command, client, openedAt }: Pair, summary: Summary): boolean {
    const { clients, timers, report } = this.#plant;
    const { envelope } = client;
    const { rx, tx, close, answeredAt, endpointFirst } = summary;
    const now = timers.now();
    clients.leave(envelope.id);
    this.#meter.end(command.dial, rx + tx);
    const record = {
      envelope,
      endpoint: command.address.text,
      attempts: command.attempts,
      rx,
      tx,
      connectMs: openedAt - envelope.at,
      firstByteMs: answeredAt === undefined ? undefined : answeredAt - openedAt,
      totalMs: now - envelope.at,
      close,
    };
    report({ t: 'ended', record });
    return endpointFirst && answeredAt === undefined && now - openedAt < SPURN_MS;
  }

  #refuse({ conn, reason, attempts, detail }: Of<'refuse'>): void {
    const rule = (client: Client): Rule => this.#ruleOf(reason, client);
    const why = detail === undefined ? {} : { detail };
    refuseClient(this.#plant, { conn, reason, attempts, rule, ...why });
  }

  /** The limit that turned a connection away, and where it is configured. */
  #ruleOf(reason: CloseReason, { envelope, limits: { place } }: Client): Rule {
    const { emptyWaitMs, maxWaiters } = this.#name.policy();
    const { at, deadline } = envelope;
    if (reason === 'connect-timeout') return { limit: `${Math.round(deadline - at)}ms`, place };
    if (reason === 'no-endpoints') return { limit: `${emptyWaitMs}ms` };
    if (reason === 'max-waiters') return { limit: `${maxWaiters}` };
    return {};
  }

  #report({ what, address, penaltyMs }: Of<'tell'>): void {
    const { rt, dst } = this.#name;
    const event = { t: what, rt, dst, endpoint: address.text } as const;
    this.#plant.report(penaltyMs === undefined ? event : { ...event, penaltyMs });
  }
}

/** Makes the ports of one name’s balancer on real sockets. */
export const makeStreams = (plant: Plant, name: NameSetup): Ports => new Streams(plant, name);
