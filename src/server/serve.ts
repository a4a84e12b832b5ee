/** One server: its listener’s connections as envelopes, admitted, secured and counted. */
import { Observable, type Subscriber } from 'rxjs';
import type { Close } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import type { BufferBudget } from '../duplex/budget.ts';
import type { StreamLimits } from '../duplex/stream.ts';
import type { Env } from '../env.ts';
import type { ServerEvent } from '../event.ts';
import type { PlainSocket, Socket } from '../socket/socket.ts';
import type { Timers } from '../timers.ts';
import { Admission } from './admission.ts';
import type { Clients } from './clients.ts';
import type { Descriptors } from './descriptors.ts';
import type { Listener } from './listener.ts';
import { type ClientHandshake, shakeHands } from './tls.ts';

/** What all servers of a router share. */
export interface ServeDeps {
  readonly rt: string;
  readonly clients: Clients;
  readonly descriptors: Descriptors;
  readonly budget: BufferBudget;
  readonly bufferSizeBytes: () => number;
  readonly timers: Timers;
  /** The next connection’s id. */
  readonly nextId: () => number;
}

const limitsOf = (
  config: ServerConfig,
  bufferSizeBytes: number,
  random: () => number,
): StreamLimits => ({
  idleTimeoutMs: config.idleTimeoutMs,
  lifetimeMs: config.connectionLifetimeMs * (1 + config.connectionLifetimeJitter * random()),
  halfCloseTimeoutMs: config.halfCloseTimeoutMs,
  resetLingerMs: config.resetLingerMs,
  bufferSizeBytes,
  place: config.place,
});

const UNKNOWN = 'unknown';

class Server {
  readonly #srv: string;
  readonly #deps: ServeDeps;
  readonly #env: Env;
  readonly #out: Subscriber<ServerEvent>;
  readonly #admission: Admission;
  #config: ServerConfig;
  /** Drops each handshake that is in progress. */
  readonly #shaking = new Set<() => void>();
  #isClosing = false;

  constructor(
    first: ServerConfig,
    listener: Listener,
    parts: { deps: ServeDeps; env: Env; out: Subscriber<ServerEvent> },
  ) {
    const { deps, env, out } = parts;
    this.#srv = listener.srv;
    this.#config = first;
    this.#deps = deps;
    this.#env = env;
    this.#out = out;
    const { rt, descriptors, budget } = deps;
    const setup = { rt, srv: this.#srv, config: () => this.#config, descriptors, budget };
    this.#admission = new Admission(setup, env);
  }

  configure(config: ServerConfig): void {
    this.#config = config;
  }

  /** What is shaking hands may finish; then the server has ended. */
  close(): void {
    this.#isClosing = true;
    this.#out.next({ t: 'unlistened', rt: this.#deps.rt, srv: this.#srv });
    this.#endIfOver();
  }

  /** Drops what is shaking hands. */
  abort(): void {
    for (const drop of this.#shaking) drop();
  }

  readonly accept = (socket: PlainSocket): void => {
    // `undefined`: it reset before anybody looked.
    const src = socket.peer();
    const close = this.#admission.enter();
    if (close !== undefined) {
      socket.reset();
      this.#reject(src ?? UNKNOWN, close);
      return;
    }
    socket.released = this.#admission.leave;
    this.#out.next({ t: 'accepted', rt: this.#deps.rt, srv: this.#srv });
    if (src === undefined) {
      socket.destroy();
      this.#reject(UNKNOWN, { reason: 'departed', by: 'client' });
    } else if (this.#config.tls === undefined)
      this.#arrive(socket, { src, at: this.#deps.timers.now() });
    else this.#shake(socket, src);
  };

  #shake(socket: PlainSocket, src: string): void {
    const { tls, connectTimeoutMs, place } = this.#config;
    if (tls === undefined) return;
    const { timers, rt } = this.#deps;
    const at = timers.now();
    const limitMs = Math.min(tls.handshakeTimeoutMs, connectTimeoutMs);
    const reason = limitMs === connectTimeoutMs ? 'connect-timeout' : 'tls-timeout';
    const done = (handshake: ClientHandshake): void => {
      this.#shaking.delete(drop);
      if (handshake.t === 'secured') {
        const { socket: secured, t: _, ...names } = handshake;
        const us = Math.round((timers.now() - at) * 1000);
        this.#out.next({ t: 'secured', rt, srv: this.#srv, us });
        this.#arrive(secured, { src, at, ...names });
      } else if (handshake.t === 'late')
        this.#reject(src, { reason, by: 'client', limit: `${limitMs}ms`, place });
      else this.#reject(src, { reason: 'tls-handshake', by: 'client', detail: handshake.detail });
      this.#endIfOver();
    };
    const drop = shakeHands(socket, tls, { timers, limitMs, done });
    this.#shaking.add(drop);
  }

  #arrive(
    socket: Socket,
    known: {
      readonly src: string;
      readonly at: number;
      readonly sni?: string;
      readonly alpn?: string;
    },
  ): void {
    const { rt, clients, bufferSizeBytes, nextId } = this.#deps;
    const { dstName: dst, connectTimeoutMs } = this.#config;
    const deadline = known.at + connectTimeoutMs;
    const envelope = { id: nextId(), rt, srv: this.#srv, dst, deadline, ...known };
    const limits = limitsOf(this.#config, bufferSizeBytes(), this.#env.random);
    clients.add({ envelope, limits }, socket);
    this.#out.next({ t: 'arrived', envelope });
  }

  #reject(src: string, close: Close): void {
    this.#out.next({ t: 'rejected', rt: this.#deps.rt, srv: this.#srv, src, close });
  }

  #endIfOver(): void {
    if (this.#isClosing && this.#shaking.size === 0) this.#out.complete();
  }
}

/**
 * Serves a listener. New connections take the latest config; those that are here keep theirs.
 * Admission comes before anything else is done with a socket; who is not let in is reset.
 *
 *   configs  1-------2------|
 *   events   l-a-a---a-a----u|    l listening  a accepted, arrived, …  u unlistened
 *
 * Owns: each socket until it is in `clients`; the listener, which it gives back when the configs end.
 * Errors: only those of `config$`. Ends: when the configs have ended and the last handshake has.
 */
export const serve = (
  listener: Listener,
  config$: Observable<ServerConfig>,
  parts: { readonly deps: ServeDeps; readonly env: Env },
): Observable<ServerEvent> =>
  new Observable((out) => {
    let server: Server | undefined;
    out.add(() => {
      listener.close();
      server?.abort();
    });
    out.add(
      config$.subscribe({
        next: (config) => {
          if (server !== undefined) {
            server.configure(config);
            return;
          }
          server = new Server(config, listener, { ...parts, out });
          out.next({ t: 'listening', rt: parts.deps.rt, srv: listener.srv });
          listener.accept(server.accept);
        },
        error: (error) => out.error(error),
        complete: () => {
          listener.close();
          if (server === undefined) out.complete();
          else server.close();
        },
      }),
    );
  });
