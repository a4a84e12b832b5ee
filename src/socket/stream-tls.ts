/** TLS on sockets of Node: where the platform’s handles cannot be had. */
import { constants, type X509Certificate } from 'node:crypto';
import type { Socket as NodeSocket } from 'node:net';
import { connect, createServer, type SecureContext, type Server, TLSSocket } from 'node:tls';
import { codeOf } from '../listen-error.ts';
import type { Account } from './keeper.ts';
import { transportOf } from './native.ts';
import {
  CLOSED,
  type ClientTerms,
  type SecureSocket,
  type Securing,
  type ServerTerms,
  type Terms,
} from './secure.ts';
import { StreamSocket } from './stream-socket.ts';
import { NOT_OURS, UNRECOGNIZED_NAME } from './tls-handle.ts';

/** Time limits are ours, on our own clock; Node’s is out of the way. */
const NEVER_MS = 2 ** 31 - 1;

const nothing = (): void => undefined;

/** Node tells an error after the handshake, and leaves the socket open; its owner waits for a close. */
const fail = function (this: TLSSocket, error: Error): void {
  this.destroy(error);
};

class SecureStream extends StreamSocket implements SecureSocket {
  readonly #tls: TLSSocket;

  constructor(tls: TLSSocket, account: Account) {
    super(tls, account);
    this.#tls = tls;
  }

  get askedFor(): string | undefined {
    // Node’s types leave out what its manual has: the name that the client asked for.
    const name: unknown = Reflect.get(this.#tls, 'servername');
    return typeof name === 'string' ? name : undefined;
  }

  get alpn(): string | undefined {
    return this.#tls.alpnProtocol || undefined;
  }

  get version(): string {
    return this.#tls.getProtocol() ?? '';
  }

  get isResumed(): boolean {
    return this.#tls.isSessionReused();
  }

  get distrust(): string | undefined {
    // An error, by its types; a code, in fact.
    const code: unknown = this.#tls.authorizationError;
    return code === null || code === undefined ? undefined : String(code);
  }

  peerCertificate(): X509Certificate | undefined {
    return this.#tls.getPeerX509Certificate();
  }
}

/** One handshake. Owns the raw socket until it ends. */
class Shaking {
  readonly #raw: NodeSocket;
  readonly #options: Options;
  #isOver = false;

  constructor(raw: NodeSocket, options: Options) {
    this.#raw = raw;
    this.#options = options;
    raw.on('error', nothing).on('close', options.released).on('close', this.#closed);
  }

  readonly drop = (): void => {
    this.#isOver = true;
    shaking.delete(this.#raw);
    this.#raw.destroy();
  };

  succeed(tls: TLSSocket): void {
    tls.on('error', fail);
    if (!this.#isBegun()) return;
    // Half-closed only from here on: a peer that ends before has given up.
    tls.allowHalfOpen = true;
    this.#options.done({ t: 'secured', socket: new SecureStream(tls, this.#options.account) });
  }

  fail(code: string): void {
    if (!this.#isBegun()) return;
    this.#raw.destroy();
    this.#options.done({ t: 'failed', code });
  }

  /** The name that it asks for is not ours. Nothing is encrypted yet, so the alert goes out as it is. */
  refuse(): void {
    this.#raw.write(UNRECOGNIZED_NAME);
    this.fail(NOT_OURS);
  }

  /** Only the first end counts. */
  #isBegun(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    shaking.delete(this.#raw);
    this.#raw.off('close', this.#closed);
    return true;
  }

  readonly #closed = (): void => this.fail(CLOSED);
}

/** The handshakes in progress, by their raw sockets. */
const shaking = new Map<NodeSocket, Shaking>();

/** By the raw socket below: the events of a handshake name only the upper one. */
const shakingOf = (tls: TLSSocket): Shaking | undefined => {
  const raw = transportOf(tls);
  return raw === undefined ? undefined : shaking.get(raw);
};

/** Node calls it on the socket that shakes hands. */
const chooser = (choose: NonNullable<ServerTerms['choose']>) =>
  function (
    this: unknown,
    name: string,
    answer: (error: Error | null, context?: SecureContext) => void,
  ): void {
    const context = choose(name);
    if (context !== undefined) answer(null, context);
    else if (this instanceof TLSSocket) shakingOf(this)?.refuse();
  };

/**
 * Node declines each name before it asks for a context, and so sessions of TLS 1.2 would go on without the name that
 * was asked for. Where that version is spoken there are none.
 */
const secureOptions = ({ contextOptions }: ServerTerms): number =>
  (contextOptions.secureOptions ?? 0) |
  (contextOptions.minVersion === 'TLSv1.3' ? 0 : constants.SSL_OP_NO_TICKET);

/** It never listens: sockets are given to it. */
const makeServer = (terms: ServerTerms): Server => {
  const { contextOptions, alpn, choose, clientAuth } = terms;
  return createServer({
    ...contextOptions,
    secureOptions: secureOptions(terms),
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    ...(choose === undefined ? {} : { SNICallback: chooser(choose) }),
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: false,
    handshakeTimeout: NEVER_MS,
  })
    .on('secureConnection', (tls) => shakingOf(tls)?.succeed(tls))
    .on('tlsClientError', (error, tls) => shakingOf(tls)?.fail(codeOf(error)));
};

const servers = new WeakMap<ServerTerms, Server>();

const serverOf = (terms: ServerTerms): Server => {
  const known = servers.get(terms) ?? makeServer(terms);
  servers.set(terms, known);
  return known;
};

const beginClient = (raw: NodeSocket, one: Shaking, terms: ClientTerms): void => {
  const { context, serverName, alpn, session, remember } = terms;
  const tls = connect({
    socket: raw,
    secureContext: context,
    rejectUnauthorized: false,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    ...(session === undefined ? {} : { session }),
  });
  if (remember !== undefined) tls.on('session', remember);
  const failed = (error: Error): void => one.fail(codeOf(error));
  tls.on('error', failed).once('secureConnect', () => {
    tls.off('error', failed);
    one.succeed(tls);
  });
};

interface Options extends Securing {
  readonly account: Account;
  readonly released: () => void;
}

/**
 * Begins TLS on a socket of Node, and gives the function that drops the handshake. Owns: the socket from now on.
 * `released` is called when it closes. Errors: throws where no handshake can be begun; the socket is closed then.
 */
export const secureStream = (raw: NodeSocket, terms: Terms, options: Options): (() => void) => {
  const one = new Shaking(raw, options);
  shaking.set(raw, one);
  raw.allowHalfOpen = false;
  if (options.said.length > 0) raw.unshift(Buffer.concat(options.said));
  try {
    if (terms.side === 'server') serverOf(terms).emit('connection', raw);
    else beginClient(raw, one, terms);
  } catch (error) {
    one.drop();
    throw error;
  }
  return one.drop;
};
