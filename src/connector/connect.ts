/** Opens one connection to an endpoint: TCP, then TLS where the policy says so, within one time limit. */
import net, { type Socket } from 'node:net';
import type { Address } from '../address.ts';
import type { ClientPolicy, ClientTlsPolicy } from '../config/config.ts';
import type { DialCause } from '../event.ts';
import type { Descriptors } from '../server/descriptors.ts';
import type { Timer, Timers } from '../timers.ts';
import { causeOf, detailOf } from './cause.ts';
import { secure } from './tls.ts';

/** What a dial comes to. */
export type ConnectOutcome =
  /** Established in `us`; whoever gets the socket owns it. It has an error listener for good. */
  | { readonly t: 'connected'; readonly socket: Socket; readonly us: number }
  | { readonly t: 'connectFailed'; readonly cause: DialCause; readonly detail: string };

/** One dial to make. */
export interface Dialing {
  readonly address: Address;
  readonly policy: Pick<ClientPolicy, 'connectTimeoutMs' | 'tls'>;
  /** Called exactly once, unless the dial is dropped before; never synchronously. */
  readonly done: (outcome: ConnectOutcome) => void;
}

/** What all dials share. */
export interface ConnectDeps {
  readonly timers: Timers;
  readonly descriptors: Descriptors;
}

/** A peer that is gone without a word is found after so long and the system’s probes. */
const KEEP_ALIVE_MS = 60_000;

const open = ({ ip, port }: Address): Socket =>
  net.connect({
    host: ip,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    autoSelectFamily: false,
  });

const HANDSHAKE_CLOSED = 'the endpoint closed the connection during the handshake';

const ignore = (): void => undefined;

/** One dial in progress. Owns its socket until it is told, and drops it where it fails. */
class Attempt {
  readonly #dialing: Dialing;
  readonly #deps: ConnectDeps;
  readonly #begun: number;
  readonly #limit: Timer;
  #socket: Socket | undefined;
  #isOver = false;

  constructor(dialing: Dialing, deps: ConnectDeps) {
    const { timers } = deps;
    const { connectTimeoutMs } = dialing.policy;
    this.#dialing = dialing;
    this.#deps = deps;
    this.#begun = timers.now();
    this.#limit = timers.after(connectTimeoutMs, () =>
      this.#fail('timeout', `no connection in ${connectTimeoutMs}ms`),
    );
    if (deps.descriptors.has(1)) this.#start();
    else this.#failLater('local', 'no file descriptor left');
  }

  /** Nobody waits any more. */
  readonly drop = (): void => {
    this.#isOver = true;
    this.#limit.drop();
    this.#socket?.destroy();
  };

  #start(): void {
    try {
      const socket = open(this.#dialing.address);
      const { take, give } = this.#deps.descriptors;
      take();
      socket.on('close', give);
      socket.on('error', ignore);
      this.#socket = socket.on('error', this.#onError).on('connect', this.#onConnect);
    } catch (error) {
      this.#failLater(causeOf(error), detailOf(error));
    }
  }

  readonly #onConnect = (): void => {
    const { tls } = this.#dialing.policy;
    const socket = this.#socket;
    if (this.#isOver || socket === undefined) return;
    // A socket that lives on carries nothing of the dial along.
    socket.off('error', this.#onError).off('connect', this.#onConnect);
    if (tls === undefined) this.#succeed(socket);
    else this.#shake(socket, tls);
  };

  #shake(socket: Socket, policy: ClientTlsPolicy): void {
    try {
      const secured = secure(socket, policy);
      const closed = (): void => this.#fail('other', HANDSHAKE_CLOSED);
      this.#socket = secured.on('error', this.#onError).on('close', closed);
      secured.once('secureConnect', () => {
        secured.off('error', this.#onError).off('close', closed);
        if (!this.#isOver) this.#succeed(secured);
      });
    } catch (error) {
      this.#fail('other', detailOf(error));
    }
  }

  readonly #onError = (error: Error): void => this.#fail(causeOf(error), detailOf(error));

  #succeed(socket: Socket): void {
    const us = Math.round((this.#deps.timers.now() - this.#begun) * 1000);
    this.#isOver = true;
    this.#limit.drop();
    this.#socket = undefined;
    this.#dialing.done({ t: 'connected', socket, us });
  }

  #fail(cause: DialCause, detail: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#dialing.done({ t: 'connectFailed', cause, detail });
  }

  #failLater(cause: DialCause, detail: string): void {
    this.#deps.timers.after(0, () => this.#fail(cause, detail));
  }
}

/**
 * Dials an endpoint, and gives the function that drops the dial while nobody has been told of its outcome.
 * Bounds: `policy.connectTimeoutMs` for TCP and TLS together; one descriptor, held until the socket closes.
 */
export const connect = (dialing: Dialing, deps: ConnectDeps): (() => void) =>
  new Attempt(dialing, deps).drop;
