/** TLS towards clients: the identity that a client asks for, and the handshake within its limit. */
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { Identity, ServerTlsConfig } from '../config/config.ts';
import { codeOf } from '../listen-error.ts';
import { transportOf } from '../socket/native.ts';
import type { Timer, Timers } from '../timers.ts';

/** How a handshake ended. */
export type Handshake =
  /** The socket has an error listener for good, and is destroyed by any error. */
  | {
      readonly t: 'secured';
      readonly socket: TLSSocket;
      readonly sni?: string;
      readonly alpn?: string;
    }
  /** `detail` is the library’s own word for it, or `closed`. */
  | { readonly t: 'failed'; readonly detail: string }
  | { readonly t: 'late' };

/** What a handshake needs to end. */
export interface HandshakeOptions {
  readonly timers: Timers;
  readonly limitMs: number;
  /** Called exactly once, never synchronously. */
  readonly done: (handshake: Handshake) => void;
}

/** Our own limit, on our own clock, comes first; Node’s is out of the way. */
const NEVER_MS = 2 ** 31 - 1;

/** Node tells an error after the handshake, and leaves the socket open; its owner waits for a close. */
const fail = function (this: TLSSocket, error: Error): void {
  this.destroy(error);
};

const contextOf = ({ certs, privateKey }: Identity): SecureContext =>
  createSecureContext({ cert: certs, key: privateKey });

const makeServer = ({ defaultIdentity, identities, alpnProtocols }: ServerTlsConfig): Server => {
  const contexts = new Map([...identities].map(([name, identity]) => [name, contextOf(identity)]));
  // Without an answer the default identity is shown; where there is no other, nobody is asked.
  const choose = (name: string, answer: (error: null, context?: SecureContext) => void): void =>
    answer(null, contexts.get(name.toLowerCase()));
  return createServer({
    ...(defaultIdentity === undefined
      ? {}
      : { cert: defaultIdentity.certs, key: defaultIdentity.privateKey }),
    ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    ...(contexts.size === 0 ? {} : { SNICallback: choose }),
    handshakeTimeout: NEVER_MS,
  });
};

const named = (socket: TLSSocket): Handshake => {
  // Node’s types leave out what its manual has: the name that the client asked for.
  const sni: unknown = Reflect.get(socket, 'servername');
  const { alpnProtocol } = socket;
  return {
    t: 'secured',
    socket,
    ...(typeof sni === 'string' ? { sni: sni.toLowerCase() } : {}),
    ...(typeof alpnProtocol === 'string' ? { alpn: alpnProtocol } : {}),
  };
};

/** One handshake. Owns the raw socket until it ends; only `secured` leaves it open. */
class Pending {
  readonly #raw: Socket;
  readonly #done: (handshake: Handshake) => void;
  readonly #limit: Timer;

  constructor(raw: Socket, { timers, limitMs, done }: HandshakeOptions) {
    this.#raw = raw;
    this.#done = done;
    this.#limit = timers.after(limitMs, () => this.end({ t: 'late' }));
    raw.on('close', this.#closed);
  }

  /** Only the first end counts. */
  end(handshake: Handshake): void {
    if (!pending.delete(this.#raw)) return;
    this.#limit.drop();
    this.#raw.off('close', this.#closed);
    if (handshake.t !== 'secured') this.#raw.destroy();
    this.#done(handshake);
  }

  readonly #closed = (): void => this.end({ t: 'failed', detail: 'closed' });
}

/** The handshakes in progress, by their raw sockets. */
const pending = new Map<Socket, Pending>();

/** By the raw socket below: the events of a handshake name only the upper one. */
const pendingOf = (socket: TLSSocket): Pending | undefined => {
  const raw = transportOf(socket);
  return raw === undefined ? undefined : pending.get(raw);
};

/** Shakes hands for the server of one TLS config. It never listens: sockets are given to it. */
export class Terminator {
  readonly #server: Server;

  constructor(config: ServerTlsConfig) {
    this.#server = makeServer(config);
    this.#server.on('secureConnection', (socket) => {
      // Half-closed only from here on: a client that ends before has given up.
      socket.allowHalfOpen = true;
      socket.on('error', fail);
      const handshake = pendingOf(socket);
      if (handshake === undefined) socket.destroy();
      else handshake.end(named(socket));
    });
    this.#server.on('tlsClientError', (error, socket) =>
      pendingOf(socket)?.end({ t: 'failed', detail: codeOf(error) }),
    );
  }

  /**
   * Begins a handshake on a socket that has an error listener for good.
   * Owns: the socket until `done`, and destroys it unless the handshake is `secured`. Destroying it gives up.
   */
  begin(raw: Socket, options: HandshakeOptions): void {
    raw.allowHalfOpen = false;
    pending.set(raw, new Pending(raw, options));
    this.#server.emit('connection', raw);
  }
}

const terminators = new WeakMap<ServerTlsConfig, Terminator>();

/** The terminator of a TLS config, made once: reading keys costs more than a handshake. */
export const terminatorOf = (config: ServerTlsConfig): Terminator => {
  const known = terminators.get(config) ?? new Terminator(config);
  terminators.set(config, known);
  return known;
};
