/** One server: its listener’s connections as envelopes, admitted, secured and counted. */
import { Observable, type Subscriber } from 'rxjs';
import { parseAddress, showPeer } from '../address.ts';
import { Bag } from '../bag.ts';
import type { Close } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import type { BufferBudget } from '../duplex/budget.ts';
import type { StreamLimits } from '../duplex/stream.ts';
import type { Env } from '../env.ts';
import { type Known, makeEnvelope } from '../envelope.ts';
import type { ServerEvent } from '../event.ts';
import type { Begun } from '../socket/read-ahead.ts';
import type { PlainSocket, Socket } from '../socket/socket.ts';
import type { Source } from '../source.ts';
import type { Timers } from '../timers.ts';
import { Admission } from './admission.ts';
import { Approach } from './approach.ts';
import type { Approached } from './approached.ts';
import type { Clients } from './clients.ts';
import type { Descriptors } from './descriptors.ts';
import type { MakeIdentifier } from './identify.ts';
import type { Listener } from './listener.ts';
import { compileRules, type Rules } from './rules.ts';

/** What all servers of a router share. */
export interface ServeDeps {
  readonly rt: string;
  readonly clients: Clients;
  readonly descriptors: Descriptors;
  readonly budget: BufferBudget;
  readonly bufferSizeBytes: () => number;
  readonly timers: Timers;
  /** Makes the rules of plugins. */
  readonly identifier: MakeIdentifier;
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

type Here = Extract<Approached, { readonly t: 'here' }>;

const textOf = ({ ip, port }: Source): string => showPeer(ip, port);

class Server {
  readonly #srv: string;
  readonly #deps: ServeDeps;
  readonly #env: Env;
  readonly #out: Subscriber<ServerEvent>;
  readonly #admission: Admission;
  readonly #localPort: number;
  #config: ServerConfig;
  #rules: Rules;
  readonly #approaching = new Bag<Approach>();
  #isClosing = false;

  constructor(
    first: ServerConfig,
    listener: Listener,
    parts: { deps: ServeDeps; env: Env; out: Subscriber<ServerEvent> },
  ) {
    const { deps, env, out } = parts;
    this.#srv = listener.srv;
    this.#localPort = parseAddress(listener.srv)?.port ?? 0;
    this.#config = first;
    this.#rules = compileRules(first, deps.identifier);
    this.#deps = deps;
    this.#env = env;
    this.#out = out;
    const { rt, descriptors, budget } = deps;
    const setup = { rt, srv: this.#srv, config: () => this.#config, descriptors, budget };
    this.#admission = new Admission(setup, env);
  }

  configure(config: ServerConfig): void {
    this.#config = config;
    this.#rules = compileRules(config, this.#deps.identifier);
  }

  /** What is on its way may finish; then the server has ended. */
  close(): void {
    this.#isClosing = true;
    this.#out.next({ t: 'unlistened', rt: this.#deps.rt, srv: this.#srv });
    this.#endIfOver();
  }

  /** Drops what is on its way. */
  abort(): void {
    for (const { drop } of this.#approaching.items()) drop();
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
    const { constant } = this.#rules;
    const at = this.#deps.timers.now();
    if (src === undefined) {
      socket.destroy();
      this.#reject(UNKNOWN, { reason: 'departed', by: 'client' });
    } else if (constant === undefined) this.#approach(socket, src, at);
    else this.#arrive(socket, { src, at, dst: constant.dst, rule: constant.rule });
  };

  #approach(socket: PlainSocket, src: string, at: number): void {
    const { timers, rt } = this.#deps;
    const { ip, port } = parseAddress(src) ?? { ip: src, port: 0 };
    const done = (how: Approached): void => {
      this.#approaching.delete(approach);
      if (how.t === 'here') this.#identify(how, at);
      else this.#reject(textOf(how.source), how.close);
      this.#endIfOver();
    };
    const approach = new Approach({
      socket,
      source: { ip, port, localPort: this.#localPort, alpn: [] },
      at,
      server: `${rt} ${this.#srv}`,
      config: this.#config,
      rules: this.#rules,
      timers,
      wallNow: this.#env.wallNow,
      done,
    });
    this.#approaching.add(approach);
    approach.start();
  }

  #identify({ socket, begun, source, peer, tls, us, peeked }: Here, at: number): void {
    const { rt } = this.#deps;
    const src = textOf(source);
    if (tls !== undefined)
      this.#out.next({ t: 'secured', rt, srv: this.#srv, us, isResumed: tls.isResumed });
    if (peeked !== undefined) this.#out.next({ t: 'peeked', rt, srv: this.#srv, found: peeked });
    const identified = this.#rules.identify(source);
    if (identified === undefined) {
      socket.reset();
      const place = `${this.#config.place}.identify`;
      this.#reject(src, { reason: 'unidentified', by: 'proxy', place });
      return;
    }
    const { localIp, localPort, sni, alpn, tlsVersion, cert } = source;
    const { dst, rule } = identified;
    const local = localIp === undefined ? undefined : showPeer(localIp, localPort);
    const known = { src, at, dst, rule, peer, local, sni, alpn: alpn[0], tls: tlsVersion, cert };
    this.#arrive(socket, known, begun);
  }

  #arrive(socket: Socket, known: Known, begun?: Begun): void {
    const { rt, clients, bufferSizeBytes, nextId } = this.#deps;
    const deadline = known.at + this.#config.connectTimeoutMs;
    const envelope = makeEnvelope({ id: nextId(), rt, srv: this.#srv, deadline }, known);
    const limits = limitsOf(this.#config, bufferSizeBytes(), this.#env.random);
    clients.add({ envelope, limits }, socket, begun);
    this.#out.next({ t: 'arrived', envelope });
  }

  #reject(src: string, close: Close): void {
    this.#out.next({ t: 'rejected', rt: this.#deps.rt, srv: this.#srv, src, close });
  }

  #endIfOver(): void {
    if (this.#isClosing && this.#approaching.size === 0) this.#out.complete();
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
