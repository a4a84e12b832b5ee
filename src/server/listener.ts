/** A listening socket that is bound first and used later, so that a reload can fail before it changes anything. */
import { createServer, type Server } from 'node:net';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { Observable } from 'rxjs';
import { type Address, showPeer } from '../address.ts';
import type { Env } from '../env.ts';
import { codeOf, listenError } from '../listen-error.ts';
import type { PlainSocket } from '../socket/socket.ts';
import { SERVER_OPTIONS, type Sockets } from '../socket/sockets.ts';

/** Takes a connection over, socket and all. Nothing was read yet. */
export type Accept = (socket: PlainSocket) => void;

/** Owns its socket until `close`. */
export interface Listener {
  /** The bound address, `ip:port`. */
  readonly srv: string;
  /** From now on connections go to `accept`; without one they are kept, up to `KEPT`, for the next. */
  readonly accept: (accept: Accept | undefined) => void;
  readonly close: () => void;
}

/** Most connections that are kept while nobody takes them; more are reset. */
export const KEPT = 1024;

/** The kernel’s queue; Node’s default, named. */
const BACKLOG = 511;

/** A server error lasts this long without another before it is told again. */
const EPISODE_MS = 10_000;

const boundTo = (server: Server, asked: Address): string => {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null
    ? showPeer(bound.address, bound.port)
    : asked.text;
};

/** Connections on their way to whoever accepts them. Owns those that it keeps. */
class Door {
  #accept: Accept | undefined;
  #kept: PlainSocket[] = [];

  readonly admit = (socket: PlainSocket): void => {
    if (this.#accept !== undefined) this.#accept(socket);
    else if (this.#kept.length < KEPT) this.#kept.push(socket);
    else socket.reset();
  };

  open(accept: Accept | undefined): void {
    this.#accept = accept;
    if (accept === undefined) return;
    for (const socket of this.#empty()) accept(socket);
  }

  close(): void {
    this.#accept = undefined;
    for (const socket of this.#empty()) socket.reset();
  }

  #empty(): readonly PlainSocket[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept.filter(({ isOpen }) => isOpen);
  }
}

/** A server that listens may still fail, out of descriptors for one: told once per episode, never fatal. */
const tellErrors = (server: Server, srv: string, { log, scheduler }: Env): void => {
  let toldAt = Number.NEGATIVE_INFINITY;
  server.on('error', (error) => {
    if (scheduler.now() - toldAt < EPISODE_MS) return;
    toldAt = scheduler.now();
    log('error', 'cannot accept connections', { srv, error: codeOf(error) });
  });
};

/**
 * Binds a listening socket: emits the listener, or one line on why there is none, and completes.
 * Owns: the socket until it is emitted; unsubscribing before that closes it. `place` is the server’s in the file.
 */
export const bindListener = (
  address: Address,
  place: string,
  parts: { readonly sockets: Sockets; readonly env: Env },
): Observable<Either<string, Listener>> =>
  new Observable((out) => {
    const { sockets, env } = parts;
    const door = new Door();
    const server = createServer(SERVER_OPTIONS);
    const close = (): void => {
      server.close();
      door.close();
    };
    let isHandedOver = false;
    const refused = (error: Error): void => {
      isHandedOver = true;
      out.next(left(listenError(address, error, `${place}.port`)));
      out.complete();
    };
    server.once('error', refused);
    server.listen({ host: address.ip, port: address.port, backlog: BACKLOG }, () => {
      server.off('error', refused);
      const srv = boundTo(server, address);
      sockets.accept(server, door.admit);
      tellErrors(server, srv, env);
      isHandedOver = true;
      out.next(right({ srv, accept: (accept) => door.open(accept), close }));
      out.complete();
    });
    out.add(() => isHandedOver || close());
  });
