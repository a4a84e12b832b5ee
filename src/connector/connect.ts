/** Opens one connection to an endpoint: TCP, then TLS where the policy says so, within one time limit. */
import net, { type Socket } from 'node:net';
import { Observable } from 'rxjs';
import type { Address } from '../address.ts';
import type { ClientPolicy } from '../config/config.ts';
import type { DialCause } from '../event.ts';
import type { Descriptors } from '../server/descriptors.ts';
import type { Timers } from '../timers.ts';
import { causeOf, detailOf } from './cause.ts';
import { secure } from './tls.ts';

/** What a dial comes to. */
export type ConnectOutcome =
  /** Established in `us`; whoever gets the socket owns it. It has an error listener for good. */
  | { readonly t: 'connected'; readonly socket: Socket; readonly us: number }
  | { readonly t: 'connectFailed'; readonly cause: DialCause; readonly detail: string };

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

const failed = (error: unknown): ConnectOutcome => ({
  t: 'connectFailed',
  cause: causeOf(error),
  detail: detailOf(error),
});

/** One dial. Owns its socket until `done`. */
class Attempt {
  readonly #done: (outcome: ConnectOutcome) => void;
  readonly #timers: Timers;
  readonly #begun: number;
  #socket: Socket | undefined;
  #isOver = false;

  constructor(timers: Timers, done: (outcome: ConnectOutcome) => void) {
    this.#timers = timers;
    this.#begun = timers.now();
    this.#done = done;
  }

  /** Begins on a socket that is connecting; `end` names the event of its success. */
  follow(
    socket: Socket,
    success: 'connect' | 'secureConnect',
    next: (socket: Socket) => void,
  ): void {
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.once('close', this.#onClose);
    socket.once(success, () => {
      if (this.#isOver) return;
      socket.off('close', this.#onClose);
      next(socket);
    });
  }

  readonly succeed = (socket: Socket): void => {
    this.#socket = undefined;
    this.#end({
      t: 'connected',
      socket,
      us: Math.round((this.#timers.now() - this.#begun) * 1000),
    });
  };

  fail(outcome: ConnectOutcome): void {
    if (!this.#isOver) this.#end(outcome);
  }

  /** Nobody waits any more. */
  readonly abandon = (): void => {
    this.#isOver = true;
    this.#socket?.destroy();
  };

  #end(outcome: ConnectOutcome): void {
    this.#isOver = true;
    this.#socket?.destroy();
    this.#done(outcome);
  }

  /** Stays on the socket for good: an owner that watches `close` needs no listener of its own. */
  readonly #onError = (error: Error): void => this.fail(failed(error));

  readonly #onClose = (): void => this.fail(failed(new Error('the endpoint closed the handshake')));
}

/**
 * Dials an endpoint: emits one outcome and completes, never synchronously unless nothing could be tried.
 * Bounds: `policy.connectTimeoutMs` for TCP and TLS together; one descriptor, held until the socket closes.
 * Owns: the socket until `connected`; unsubscribing before that drops the dial.
 */
export const connect = (
  address: Address,
  policy: Pick<ClientPolicy, 'connectTimeoutMs' | 'tls'>,
  { timers, descriptors }: ConnectDeps,
): Observable<ConnectOutcome> =>
  new Observable((out) => {
    const attempt = new Attempt(timers, (outcome) => {
      limit.drop();
      out.next(outcome);
      out.complete();
    });
    const { connectTimeoutMs, tls } = policy;
    const limit = timers.after(connectTimeoutMs, () =>
      attempt.fail({
        t: 'connectFailed',
        cause: 'timeout',
        detail: `no connection in ${connectTimeoutMs}ms`,
      }),
    );
    out.add(() => limit.drop());
    out.add(attempt.abandon);
    if (!descriptors.has(1)) {
      attempt.fail({ t: 'connectFailed', cause: 'local', detail: 'no file descriptor left' });
      return;
    }
    try {
      const socket = open(address);
      descriptors.take();
      socket.once('close', () => descriptors.give());
      attempt.follow(socket, 'connect', (tcp) => {
        if (tls === undefined) attempt.succeed(tcp);
        else attempt.follow(secure(tcp, tls), 'secureConnect', attempt.succeed);
      });
    } catch (error) {
      attempt.fail(failed(error));
    }
  });
