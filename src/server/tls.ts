/** TLS towards clients: the identity that a client asks for, and the handshake within its limit. */
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { CloseReason } from '../close-reason.ts';
import type { Identity, ServerTlsConfig } from '../config/config.ts';
import type { Timers } from '../timers.ts';

/** How a handshake ended. */
export type Handshake =
  | {
      readonly t: 'secured';
      readonly socket: TLSSocket;
      readonly sni?: string;
      readonly alpn?: string;
    }
  | { readonly t: 'rejected'; readonly reason: CloseReason; readonly detail: string };

/** A handshake in progress: owns the raw socket. */
interface Pending {
  readonly done: (handshake: Handshake) => void;
  detail: string;
}

/** Our own limit, on our own clock, comes first; Node’s is out of the way. */
const NEVER_MS = 2 ** 31 - 1;

const ignore = (): void => undefined;

const contextOf = ({ certs, privateKey }: Identity): SecureContext =>
  createSecureContext({ cert: certs, key: privateKey });

const detailOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message;

/** Names the connection for as long as it lives, raw or wrapped. */
const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const makeServer = ({ defaultIdentity, identities, alpnProtocols }: ServerTlsConfig): Server => {
  const contexts = new Map([...identities].map(([name, identity]) => [name, contextOf(identity)]));
  const fallback = defaultIdentity === undefined ? undefined : contextOf(defaultIdentity);
  return createServer({
    ...(defaultIdentity === undefined
      ? {}
      : { cert: defaultIdentity.certs, key: defaultIdentity.privateKey }),
    ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    SNICallback: (name, answer) => answer(null, contexts.get(name.toLowerCase()) ?? fallback),
    handshakeTimeout: NEVER_MS,
  });
};

/**
 * Shakes hands for the servers that share one TLS config. It never listens: sockets are given to it.
 * Names are matched exactly, in lower case; all others get the default identity.
 */
export class Terminator {
  readonly #server: Server;
  readonly #pending = new Map<string, Pending>();
  readonly #limitMs: number;

  constructor(config: ServerTlsConfig) {
    this.#limitMs = config.handshakeTimeoutMs;
    this.#server = makeServer(config);
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      const pending = this.#pending.get(keyOf(socket));
      if (pending !== undefined) pending.detail = detailOf(error);
    });
  }

  /**
   * Begins a handshake. `done` is called exactly once, never synchronously; with `secured` it owns the
   * socket, with `rejected` the socket is destroyed.
   * Owns: the raw socket until then; destroying it gives up.
   */
  begin(raw: Socket, timers: Timers, done: (handshake: Handshake) => void): void {
    const key = keyOf(raw);
    const limit = timers.after(this.#limitMs, () =>
      end({ t: 'rejected', reason: 'tls-timeout', detail: 'handshake' }),
    );
    const closed = (): void =>
      end({ t: 'rejected', reason: 'tls-handshake', detail: pending.detail });
    const end = (handshake: Handshake): void => {
      limit.drop();
      raw.off('close', closed);
      this.#pending.delete(key);
      if (handshake.t === 'rejected') raw.destroy();
      done(handshake);
    };
    const pending: Pending = { done: end, detail: 'closed' };
    this.#pending.set(key, pending);
    raw.on('error', ignore);
    raw.on('close', closed);
    this.#server.emit('connection', raw);
  }

  #secured(socket: TLSSocket): void {
    const pending = this.#pending.get(keyOf(socket));
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    // Node’s types leave out what its manual has: the name that the client asked for.
    const sni: unknown = Reflect.get(socket, 'servername');
    const { alpnProtocol } = socket;
    pending.done({
      t: 'secured',
      socket,
      ...(typeof sni === 'string' ? { sni: sni.toLowerCase() } : {}),
      ...(typeof alpnProtocol === 'string' ? { alpn: alpnProtocol } : {}),
    });
  }
}

const terminators = new WeakMap<ServerTlsConfig, Terminator>();

/** The terminator of a TLS config, made once: reading keys costs more than a handshake. */
export const terminatorOf = (config: ServerTlsConfig): Terminator => {
  const known = terminators.get(config) ?? new Terminator(config);
  terminators.set(config, known);
  return known;
};
