/** TLS towards clients: the identity that a client asks for, and the handshake within its limit. */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Identity, ServerTlsConfig } from '../config/config.ts';
import { codeOf } from '../listen-error.ts';
import {
  alpnBytes,
  type Handshake,
  type SecureSocket,
  type ServerTerms,
} from '../socket/secure.ts';
import type { PlainSocket } from '../socket/socket.ts';
import type { Timer, Timers } from '../timers.ts';

/** How a handshake with a client ended. */
export type ClientHandshake =
  | {
      readonly t: 'secured';
      readonly socket: SecureSocket;
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
  /** Called exactly once unless it is dropped, never synchronously. */
  readonly done: (handshake: ClientHandshake) => void;
}

const optionsOf = (identity: Identity | undefined): SecureContextOptions =>
  identity === undefined ? {} : { cert: identity.certs, key: identity.privateKey };

const makeTerms = ({
  defaultIdentity,
  identities,
  alpnProtocols,
}: ServerTlsConfig): ServerTerms => {
  const contextOptions = optionsOf(defaultIdentity);
  const context = createSecureContext(contextOptions);
  const contexts = new Map(
    [...identities].map(([name, one]) => [name, createSecureContext(optionsOf(one))] as const),
  );
  const choose: ServerTerms['choose'] = (name) =>
    contexts.get(name?.toLowerCase() ?? '') ??
    (defaultIdentity === undefined ? undefined : context);
  return {
    side: 'server',
    context,
    contextOptions,
    clientAuth: 'none',
    // Where there is no other identity, nobody is asked.
    ...(contexts.size === 0 ? {} : { choose }),
    ...(alpnProtocols.length === 0 ? {} : { alpn: alpnBytes(alpnProtocols) }),
  };
};

const known = new WeakMap<ServerTlsConfig, ServerTerms>();

/** Made once per config: reading keys costs more than a handshake. */
const termsOf = (config: ServerTlsConfig): ServerTerms => {
  const terms = known.get(config) ?? makeTerms(config);
  known.set(config, terms);
  return terms;
};

const named = (socket: SecureSocket): ClientHandshake => {
  const { askedFor, alpn } = socket;
  return {
    t: 'secured',
    socket,
    ...(askedFor === undefined ? {} : { sni: askedFor.toLowerCase() }),
    ...(alpn === undefined ? {} : { alpn }),
  };
};

/** One handshake. Owns its socket until it ends. */
class Pending {
  readonly #options: HandshakeOptions;
  readonly #limit: Timer;
  readonly #drop: () => void;

  constructor(socket: PlainSocket, config: ServerTlsConfig, options: HandshakeOptions) {
    const { timers, limitMs } = options;
    this.#options = options;
    this.#limit = timers.after(limitMs, () => {
      this.#drop();
      options.done({ t: 'late' });
    });
    this.#drop = this.#begin(socket, config);
  }

  readonly drop = (): void => {
    this.#limit.drop();
    this.#drop();
  };

  #begin(socket: PlainSocket, config: ServerTlsConfig): () => void {
    try {
      return socket.secure(termsOf(config), { said: [], done: (how) => this.#end(how) });
    } catch (error) {
      socket.destroy();
      const code = error instanceof Error ? codeOf(error) : String(error);
      const told = this.#options.timers.after(0, () => this.#end({ t: 'failed', code }));
      return () => told.drop();
    }
  }

  #end(how: Handshake): void {
    this.#limit.drop();
    this.#options.done(how.t === 'secured' ? named(how.socket) : { t: 'failed', detail: how.code });
  }
}

/**
 * Shakes hands with a client, and gives the function that drops it.
 * Owns: the socket until `done`; it is closed unless the handshake is `secured`.
 */
export const shakeHands = (
  socket: PlainSocket,
  config: ServerTlsConfig,
  options: HandshakeOptions,
): (() => void) => new Pending(socket, config, options).drop;
