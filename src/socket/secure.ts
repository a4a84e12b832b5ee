/** TLS on top of a connection: what it is begun with, and what it comes to. */
import type { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Socket } from './socket.ts';

/** Whether clients are asked for a certificate; `required`: the handshake fails without one. Trust is looked at later. */
export type ClientAuthMode = 'none' | 'optional' | 'required';

/** TLS that a client begins. Made once per config. */
export interface ServerTerms {
  readonly side: 'server';
  /** For clients that `choose` has nothing else for, and for all where there is no `choose`. */
  readonly context: SecureContext;
  /** What that was made of. */
  readonly contextOptions: SecureContextOptions;
  /** The context for the name that a client asks for; `undefined`: it is refused with `unrecognized_name`. */
  readonly choose?: (name: string | undefined) => SecureContext | undefined;
  /** The protocols of ALPN, the preferred first, each led by its length. */
  readonly alpn?: Uint8Array;
  readonly clientAuth: ClientAuthMode;
}

/** TLS that we begin. */
export interface ClientTerms {
  readonly side: 'client';
  readonly context: SecureContext;
  /** The name to ask for (SNI). */
  readonly serverName?: string;
  readonly alpn?: Uint8Array;
  /** One to resume. */
  readonly session?: Buffer;
  /** Called with each session that the server lets us resume, also long after the handshake. */
  readonly remember?: (session: Buffer) => void;
}

/** How to begin TLS. */
export type Terms = ServerTerms | ClientTerms;

/** A connection whose handshake is over. `close_notify` and a bare end of the connection below both end it. */
export interface SecureSocket extends Socket {
  /** The name that the client asked for, as it wrote it. */
  readonly askedFor: string | undefined;
  /** The protocol that was agreed. */
  readonly alpn: string | undefined;
  /** `TLSv1.3` and so on. */
  readonly version: string;
  /** The handshake went on from an earlier one. */
  readonly isResumed: boolean;
  /** Why the peer’s chain cannot be trusted, as OpenSSL names it: `CERT_HAS_EXPIRED`. A resumed one was judged before. */
  readonly distrust: string | undefined;
  /** What the peer has shown; `undefined`: nothing. Parsed at each call. */
  readonly peerCertificate: () => X509Certificate | undefined;
}

/** What a handshake came to. */
export type Handshake =
  /** The socket is the caller’s; nothing was told yet of what the peer has said behind the handshake. */
  | { readonly t: 'secured'; readonly socket: SecureSocket }
  /** `code` is the library’s word for it, or `closed`. The connection is closed. */
  | { readonly t: 'failed'; readonly code: string };

/** What a handshake is begun with, beside its terms. */
export interface Securing {
  /** What was read from the peer already, in order. */
  readonly said: readonly Buffer[];
  /** Called at most once, and never synchronously; not after it was dropped. */
  readonly done: (handshake: Handshake) => void;
}

/** A handshake that failed since the peer ended the connection. */
export const CLOSED = 'closed';

/** The protocols of ALPN as TLS writes them. */
export const alpnBytes = (protocols: readonly string[]): Uint8Array =>
  Buffer.concat(protocols.flatMap((name) => [Buffer.of(name.length), Buffer.from(name, 'latin1')]));
