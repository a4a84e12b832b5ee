/** One server: its listener’s connections as envelopes, admitted, secured and counted. */
import type { Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import { showPeer } from '../address.ts';
import type { Close } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import type { BufferBudget } from '../duplex/budget.ts';
import type { StreamLimits } from '../duplex/stream.ts';
import type { Env } from '../env.ts';
import type { ServerEvent } from '../event.ts';
import type { Timers } from '../timers.ts';
import { Admission } from './admission.ts';
import type { Clients } from './clients.ts';
import type { Descriptors } from './descriptors.ts';
import type { Listener } from './listener.ts';
import { type Handshake, terminatorOf } from './tls.ts';

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

class Server {
  readonly #srv: string;
  readonly #deps: ServeDeps;
  readonly #env: Env;
  readonly #out: Subscriber<ServerEvent>;
  readonly #admission: Admission;
  #config: ServerConfig;
  /** Sockets that are shaking hands. */
  readonly #shaking = new Set<Socket>();
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
    for (const socket of this.#shaking) socket.destroy();
  }

  readonly accept = (socket: Socket): void => {
    const close = this.#admission.enter();
    if (close !== undefined) {
      socket.resetAndDestroy();
      this.#reject(this.#peerOf(socket), close);
      return;
    }
    socket.once('close', this.#admission.leave);
    this.#out.next({ t: 'accepted', rt: this.#deps.rt, srv: this.#srv });
    const src = this.#peerOf(socket);
    // A client that reset before it was looked at has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      this.#reject(src, { reason: 'departed', by: 'client' });
    } else if (this.#config.tls === undefined)
      this.#arrive(socket, { src, at: this.#deps.timers.now() });
    else this.#shake(socket, src);
  };

  #peerOf({ remoteAddress, remotePort }: Socket): string {
    return remoteAddress === undefined ? 'unknown' : showPeer(remoteAddress, remotePort ?? 0);
  }

  #shake(raw: Socket, src: string): void {
    const { tls, place } = this.#config;
    if (tls === undefined) return;
    const { timers, rt } = this.#deps;
    const at = timers.now();
    this.#shaking.add(raw);
    terminatorOf(tls).begin(raw, timers, (handshake: Handshake) => {
      this.#shaking.delete(raw);
      if (handshake.t === 'rejected') {
        const { reason, detail } = handshake;
        const rule =
          reason === 'tls-timeout' ? { limit: `${tls.handshakeTimeoutMs}ms`, place } : {};
        this.#reject(src, { reason, by: 'client', detail, ...rule });
      } else {
        const { socket, t: _, ...names } = handshake;
        const us = Math.round((timers.now() - at) * 1000);
        this.#out.next({ t: 'secured', rt, srv: this.#srv, us });
        this.#arrive(socket, { src, at, ...names });
      }
      this.#endIfOver();
    });
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
    clients.add({ envelope, socket, limits });
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
 * Errors: never. Ends: when the configs have ended and the last handshake has.
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
        complete: () => {
          listener.close();
          server?.close();
        },
      }),
    );
  });
