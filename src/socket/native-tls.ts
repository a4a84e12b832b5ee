/**
 * What Node does not show of TLS: the handle that stands between a TCP handle and who reads it. Looked at before it is
 * used, as `native.ts` does. Source: lib/_tls_wrap.js and src/crypto/crypto_tls.cc of Node 20; seen to hold on 24 and 26.
 */
import type { SecureContext } from 'node:tls';
import type { Binding, HandleListener, StreamHandle, TcpHandle } from './native.ts';

/** Hears a TLS handle. Never called by a handle’s methods, but from within the library: the handle must outlive the call. */
export interface TlsListener extends HandleListener {
  readonly shaken: () => void;
  readonly broke: (error: Error) => void;
  /** The client asks for this name; `choose` answers. */
  readonly asked: (name: string | undefined) => void;
  readonly mayResume: (session: Buffer) => void;
}

/** TLS on top of a TCP handle. Its writes always finish later; their memory is free at once; one at a time. */
export interface TlsHandle extends StreamHandle {
  listener?: TlsListener | undefined;
  /** What is shown instead of the context that it was made with. */
  sni_context?: unknown;
  onhandshakestart?: () => void;
  onhandshakedone?: (this: TlsHandle) => void;
  onerror?: (this: TlsHandle, error: Error) => void;
  oncertcb?: (this: TlsHandle, info: { readonly servername?: unknown }) => void;
  onnewsession?: (this: TlsHandle, id: Buffer, session: Buffer) => void;
  /** The TCP handle: the platform keeps it no longer than we do. */
  below?: TcpHandle;
  readonly setVerifyMode: (asks: boolean, requires: boolean) => void;
  readonly setALPNProtocols: (protocols: Uint8Array) => void;
  readonly setServername: (name: string) => void;
  readonly setSession: (session: Buffer) => void;
  readonly enableCertCb: () => void;
  readonly certCbDone: () => void;
  readonly enableSessionCallbacks: () => void;
  /** Sends the first message of a client. */
  readonly start: () => void;
  /** Takes what was read from the TCP handle before. */
  readonly receive: (bytes: Buffer) => void;
  readonly getServername: () => string | false;
  readonly getALPNNegotiatedProtocol: () => string | false;
  readonly getProtocol: () => string;
  readonly isSessionReused: () => boolean;
  readonly verifyError: () => (Error & { readonly code?: string }) | null | undefined;
  readonly getPeerCertificate: (isWhole: boolean) => { readonly raw?: Buffer } | undefined;
  /** Frees what it holds; not from within a callback of its own. */
  readonly destroySSL: () => void;
}

/** Puts TLS on a TCP handle, which it reads from now on. Errors: throws if the context is none. */
export type WrapTls = (below: TcpHandle, context: SecureContext, isServer: boolean) => TlsHandle;

const METHODS: readonly (keyof TlsHandle)[] = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'setVerifyMode',
  'setALPNProtocols',
  'setServername',
  'setSession',
  'enableCertCb',
  'certCbDone',
  'enableSessionCallbacks',
  'start',
  'receive',
  'getServername',
  'getALPNNegotiatedProtocol',
  'getProtocol',
  'isSessionReused',
  'verifyError',
  'getPeerCertificate',
  'destroySSL',
];

/** How TLS is put on handles. Errors: throws where it is not as it is known. */
export const findWrapTls = (binding: Binding): WrapTls => {
  const tls = binding('tls_wrap');
  const { wrap, TLSWrap: Wrap } = tls;
  if (typeof wrap !== 'function' || typeof Wrap !== 'function') throw new Error('no TLS');
  const prototype: unknown = Wrap.prototype;
  if (METHODS.some((name) => typeof Reflect.get(Object(prototype), name) !== 'function'))
    throw new Error('another TLS');
  return (below, { context }, isServer) => {
    const handle: TlsHandle = wrap.call(tls, below, context, isServer, false);
    handle.below = below;
    return handle;
  };
};
