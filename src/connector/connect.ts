/** Opens one connection to an endpoint: TCP, then TLS where the policy says so, within one time limit. */
import type { Address } from '../address.ts';
import type { ClientPolicy, ClientTlsPolicy } from '../config/config.ts';
import type { DialCause } from '../event.ts';
import type { Descriptors } from '../server/descriptors.ts';
import { CLOSED, type Handshake, type SecureSocket } from '../socket/secure.ts';
import type { PlainSocket, Socket } from '../socket/socket.ts';
import type { Sockets } from '../socket/sockets.ts';
import type { Timer, Timers } from '../timers.ts';
import { causeOf, codeOf, detailOf } from './cause.ts';
import { doubtOf, intend, type Wanted } from './tls.ts';

/** What a dial comes to. */
export type ConnectOutcome =
  /** Established in `us`; whoever gets the socket owns it. Nothing was read yet. */
  | { readonly t: 'connected'; readonly socket: Socket; readonly us: number }
  | { readonly t: 'connectFailed'; readonly cause: DialCause; readonly detail: string };

/** One dial to make. */
export interface Dialing {
  readonly address: Address;
  readonly policy: Pick<ClientPolicy, 'connectTimeoutMs' | 'tls'>;
  /** Asked for and required, where there is TLS. */
  readonly serverName?: string | undefined;
  /** Sent before anything else, TLS included. */
  readonly preamble?: Uint8Array | undefined;
  /** Called exactly once, unless the dial is dropped before; never synchronously. */
  readonly done: (outcome: ConnectOutcome) => void;
}

/** What all dials share. */
export interface ConnectDeps {
  readonly sockets: Sockets;
  readonly timers: Timers;
  readonly descriptors: Descriptors;
}

/** A handshake’s failure in words, where its code has none. */
const wordsOf = (code: string): string =>
  code === CLOSED ? 'the endpoint closed the connection during the handshake' : code;

/** One dial in progress. Owns its socket until it is told, and drops it where it fails. */
class Attempt {
  readonly #dialing: Dialing;
  readonly #deps: ConnectDeps;
  readonly #begun: number;
  readonly #limit: Timer;
  /** While it is a dial’s. */
  #socket: PlainSocket | undefined;
  /** From the begin of its handshake. */
  #dropHandshake: (() => void) | undefined;
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
    this.#dropHandshake?.();
  };

  #start(): void {
    const { descriptors, sockets } = this.#deps;
    try {
      const { address, policy } = this.#dialing;
      const socket = sockets.dial(address, this.#onConnect, policy.tls === undefined);
      descriptors.take();
      socket.released = descriptors.give;
      this.#socket = socket;
    } catch (error) {
      this.#failLater(causeOf(codeOf(error)), detailOf(error));
    }
  }

  readonly #onConnect = (code: string | undefined): void => {
    const { policy, preamble } = this.#dialing;
    const socket = this.#socket;
    this.#socket = undefined;
    if (code !== undefined) this.#fail(causeOf(code), code);
    else if (socket === undefined) return;
    else {
      if (preamble !== undefined) socket.write(Buffer.from(preamble), preamble.length, true);
      if (policy.tls === undefined) this.#succeed(socket);
      else this.#shake(socket, policy.tls);
    }
  };

  #shake(socket: PlainSocket, policy: ClientTlsPolicy): void {
    const { address, serverName } = this.#dialing;
    const wanted: Wanted = { policy, serverName, endpoint: address.text };
    try {
      const { terms, believe } = intend(wanted, this.#deps.timers.now());
      const done = (handshake: Handshake): void => {
        this.#dropHandshake = undefined;
        if (handshake.t === 'failed') this.#fail(causeOf(handshake.code), wordsOf(handshake.code));
        else if (this.#isGood(handshake.socket, wanted)) {
          believe(handshake.socket.isResumed);
          this.#succeed(handshake.socket);
        }
      };
      this.#dropHandshake = socket.secure(terms, { said: [], done });
    } catch (error) {
      socket.destroy();
      this.#fail('other', detailOf(error));
    }
  }

  #isGood(socket: SecureSocket, wanted: Wanted): boolean {
    const doubt = doubtOf(socket, wanted);
    if (doubt === undefined) return true;
    socket.destroy();
    this.#fail('other', doubt);
    return false;
  }

  #succeed(socket: Socket): void {
    const us = Math.round((this.#deps.timers.now() - this.#begun) * 1000);
    this.#isOver = true;
    this.#limit.drop();
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

/** As `connect`, for a dial that cannot be made: no fault of the endpoint’s. */
export const failLater = (
  detail: string,
  done: Dialing['done'],
  { timers }: Pick<ConnectDeps, 'timers'>,
): (() => void) => {
  const timer = timers.after(0, () => done({ t: 'connectFailed', cause: 'local', detail }));
  return () => timer.drop();
};
