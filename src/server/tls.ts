/** TLS towards clients: the identity that a client asks for, and the handshake within its limit. */
import type { ServerTlsConfig } from '../config/config.ts';
import { dnsName } from '../dns-name.ts';
import { codeOf } from '../listen-error.ts';
import type { Handshake, SecureSocket, ServerTerms } from '../socket/secure.ts';
import type { PlainSocket } from '../socket/socket.ts';
import { NOT_OURS } from '../socket/tls-handle.ts';
import type { ClientCert } from '../source.ts';
import type { Timer, Timers } from '../timers.ts';
import { clientCert } from './certificate.ts';
import { makeTerms } from './tls-terms.ts';

/** The library’s word for a client that shows nothing. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** What a handshake has told of a client. */
export interface TlsFacts {
  readonly version: string;
  readonly isResumed: boolean;
  /** The name that it asked for, if it is a valid one; lower-cased. */
  readonly sni?: string;
  readonly alpn?: string;
  /** Verified. */
  readonly cert?: ClientCert;
}

/** How a handshake with a client ended. */
export type ClientHandshake =
  | { readonly t: 'secured'; readonly socket: SecureSocket; readonly facts: TlsFacts }
  /** `detail` is the library’s own word for it, or `closed`. */
  | { readonly t: 'failed'; readonly detail: string }
  | { readonly t: 'late' };

/** What a handshake needs to end. */
export interface HandshakeOptions {
  /** What tells the server from all others. */
  readonly server: string;
  readonly config: ServerTlsConfig;
  /** What was read from the client already. */
  readonly said: readonly Buffer[];
  readonly timers: Timers;
  readonly wallNow: () => number;
  readonly limitMs: number;
  /** Called exactly once unless it is dropped, never synchronously. */
  readonly done: (handshake: ClientHandshake) => void;
}

const known = new WeakMap<ServerTlsConfig, ServerTerms>();

/** Made once per config: reading keys costs more than a handshake. */
const termsOf = (server: string, config: ServerTlsConfig): ServerTerms => {
  const terms = known.get(config) ?? makeTerms(server, config);
  known.set(config, terms);
  return terms;
};

/** Where a session goes on, the library asks for no context, and so nobody whether the name is one of ours. */
const isStranger = ({ isResumed, askedFor }: SecureSocket, { choose }: ServerTerms): boolean =>
  isResumed && choose !== undefined && choose(askedFor) === undefined;

/**
 * Why a certificate is not good, or is missing; `undefined`: neither. The library lets pass whatever it is shown, and
 * resumes sessions whose certificate has expired since.
 */
const objection = (
  socket: SecureSocket,
  { mode }: ServerTlsConfig['clientAuth'],
  wallNow: number,
): string | undefined => {
  if (mode === 'none') return undefined;
  const cert = socket.peerCertificate();
  if (cert === undefined) return mode === 'required' ? NO_CERTIFICATE : undefined;
  if (socket.distrust !== undefined) return socket.distrust;
  const isOver = socket.isResumed && Date.parse(cert.validTo) < wallNow;
  return isOver ? 'CERT_HAS_EXPIRED' : undefined;
};

const factsOf = (socket: SecureSocket, { mode }: ServerTlsConfig['clientAuth']): TlsFacts => {
  const { askedFor, alpn, version, isResumed } = socket;
  const sni = askedFor === undefined ? undefined : dnsName(askedFor);
  const cert = mode === 'none' ? undefined : socket.peerCertificate();
  return {
    version,
    isResumed,
    ...(sni === undefined ? {} : { sni }),
    ...(alpn === undefined ? {} : { alpn }),
    ...(cert === undefined ? {} : { cert: clientCert(cert) }),
  };
};

/** One handshake. Owns its socket until it ends. */
class Pending {
  readonly #options: HandshakeOptions;
  readonly #limit: Timer;
  readonly #drop: () => void;

  constructor(socket: PlainSocket, options: HandshakeOptions) {
    const { timers, limitMs } = options;
    this.#options = options;
    this.#limit = timers.after(limitMs, () => {
      this.#drop();
      options.done({ t: 'late' });
    });
    this.#drop = this.#begin(socket);
  }

  readonly drop = (): void => {
    this.#limit.drop();
    this.#drop();
  };

  #begin(socket: PlainSocket): () => void {
    const { server, config, said } = this.#options;
    try {
      return socket.secure(termsOf(server, config), { said, done: (how) => this.#end(how) });
    } catch (error) {
      socket.destroy();
      const code = error instanceof Error ? codeOf(error) : String(error);
      const told = this.#options.timers.after(0, () => this.#end({ t: 'failed', code }));
      return () => told.drop();
    }
  }

  #end(how: Handshake): void {
    const { done, server, config, wallNow } = this.#options;
    const { clientAuth } = config;
    this.#limit.drop();
    if (how.t === 'failed') {
      done({ t: 'failed', detail: how.code });
      return;
    }
    const { socket } = how;
    const detail = isStranger(socket, termsOf(server, config))
      ? NOT_OURS
      : objection(socket, clientAuth, wallNow());
    if (detail === undefined) done({ t: 'secured', socket, facts: factsOf(socket, clientAuth) });
    else {
      socket.destroy();
      done({ t: 'failed', detail });
    }
  }
}

/**
 * Shakes hands with a client, and gives the function that drops it.
 * Owns: the socket until `done`; it is closed unless the handshake is `secured`.
 */
export const shakeHands = (socket: PlainSocket, options: HandshakeOptions): (() => void) =>
  new Pending(socket, options).drop;
