/** What a TLS handle is told before its handshake, and the functions that it calls: one of each for all. */
import { X509Certificate } from 'node:crypto';
import { codeOf } from '../listen-error.ts';
import { type Account, Keeper } from './keeper.ts';
import type { TlsHandle } from './native-tls.ts';
import type { Terms } from './secure.ts';

/** A fatal alert, as it stands on the wire while nothing is encrypted yet. Source: RFC 5246 §7.2, RFC 6066 §3. */
export const UNRECOGNIZED_NAME = Buffer.of(21, 3, 3, 0, 2, 2, 112);

/** The code of a handshake that failed since `choose` has nothing for the name that was asked for. */
export const NOT_OURS = 'ERR_SSL_UNRECOGNIZED_NAME';

const onStart = (): void => undefined;

const onDone = function (this: TlsHandle): void {
  this.listener?.shaken();
};

const onError = function (this: TlsHandle, error: Error): void {
  this.listener?.broke(error);
};

const onAsked = function (
  this: TlsHandle,
  { servername }: { readonly servername?: unknown },
): void {
  this.listener?.asked(typeof servername === 'string' ? servername : undefined);
};

const onSession = function (this: TlsHandle, _id: Buffer, session: Buffer): void {
  this.listener?.mayResume(session);
};

/** Tells a handle how it is to shake hands. */
export const dress = (tls: TlsHandle, terms: Terms): void => {
  tls.onhandshakestart = onStart;
  tls.onhandshakedone = onDone;
  tls.onerror = onError;
  if (terms.alpn !== undefined) tls.setALPNProtocols(terms.alpn);
  if (terms.side === 'server') {
    const { choose, clientAuth, context } = terms;
    // Without one the library takes the name for declined, and TLS 1.2 forgets it in the session.
    tls.sni_context = context.context;
    if (clientAuth !== 'none') tls.setVerifyMode(true, clientAuth === 'required');
    if (choose === undefined) return;
    tls.oncertcb = onAsked;
    tls.enableCertCb();
    return;
  }
  const { serverName, session, remember } = terms;
  if (serverName !== undefined) tls.setServername(serverName);
  if (session !== undefined) tls.setSession(session);
  if (remember === undefined) return;
  tls.onnewsession = onSession;
  tls.enableSessionCallbacks();
};

/** What a TLS handle knows of its handshake, and what it asks in it. */
export abstract class TlsFacts extends Keeper {
  protected readonly tls: TlsHandle;
  readonly #terms: Terms;

  constructor(tls: TlsHandle, terms: Terms, account: Account) {
    super(account);
    this.tls = tls;
    this.#terms = terms;
  }

  get askedFor(): string | undefined {
    return this.tls.getServername() || undefined;
  }

  get alpn(): string | undefined {
    return this.tls.getALPNNegotiatedProtocol() || undefined;
  }

  get version(): string {
    return this.tls.getProtocol();
  }

  get isResumed(): boolean {
    return this.tls.isSessionReused();
  }

  get distrust(): string | undefined {
    const error = this.tls.verifyError();
    return error === null || error === undefined ? undefined : codeOf(error);
  }

  /** Shows the client the certificate for the name that it asks for; gives whether there is one. */
  protected answers(name: string | undefined): boolean {
    const terms = this.#terms;
    if (terms.side === 'client') return true;
    const chosen = terms.choose === undefined ? terms.context : terms.choose(name);
    if (chosen === undefined) return false;
    this.tls.sni_context = chosen.context;
    this.tls.certCbDone();
    return true;
  }

  mayResume(session: Buffer): void {
    if (this.#terms.side === 'client') this.#terms.remember?.(session);
  }

  peerCertificate(): X509Certificate | undefined {
    const raw = this.tls.getPeerCertificate(false)?.raw;
    return raw === undefined ? undefined : new X509Certificate(raw);
  }
}
