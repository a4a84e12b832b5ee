/** The HTTP server around the API: requests read to their end, replies written at the reader’s pace. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import {
  catchError,
  defer,
  EMPTY,
  finalize,
  fromEvent,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  of,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
} from 'rxjs';
import { type Address, showPeer } from '../address.ts';
import type { Env } from '../env.ts';
import { listenError } from '../listen-error.ts';
import type { Handle } from './handle.ts';
import { empty, type Reply, type Request, words } from './reply.ts';

/** Against clients that take their time over a request. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
} as const;

/** Probes find a dead reader of a silent watch. */
const KEEP_ALIVE_MS = 30_000;
const MOST_HEADERS = 100;
/** Connections beside those of watches. */
const MOST_OTHERS = 256;

/** Largest body of a request. */
export const MOST_BODY_BYTES = 1024 * 1024;
/** A reader of a watch that is behind by more is let go. */
export const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

/** PEM of a server’s certificate and key; `ca`: of the roots of clients, who must show a certificate then. */
export interface ServerPem {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert: boolean;
}

/** What is listened on. */
export interface ServerSetup {
  readonly address: Address;
  /** Where the port stands in the configuration. */
  readonly place: string;
  readonly tls?: ServerPem;
  readonly maxWatches: number;
  readonly handle: Handle;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

const TOO_LONG = words(413, `expected at most ${MOST_BODY_BYTES} bytes of body, got more`);

/** The body as text, or, beyond the bound, the reply to it; nothing if the client goes away. */
const readBody = (incoming: IncomingMessage): Observable<string | Reply> =>
  new Observable((out) => {
    const parts: Buffer[] = [];
    let size = 0;
    incoming.on('data', (bytes: Buffer) => {
      size += bytes.length;
      if (size <= MOST_BODY_BYTES) parts.push(bytes);
      else out.next(TOO_LONG);
    });
    incoming.on('end', () => {
      if (size <= MOST_BODY_BYTES) out.next(Buffer.concat(parts).toString('utf8'));
    });
    incoming.on('error', () => out.complete());
  });

const requestOf = (
  { method = 'GET', url = '/', headers }: IncomingMessage,
  body: string,
): Request => {
  const at = url.indexOf('?');
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers,
    body,
  };
};

/** Ends a stream in the words of what ended it. */
const told = (error: unknown): Observable<string> =>
  of(`${error instanceof Error ? error.message : String(error)}\n`);

class Api {
  readonly #setup: ServerSetup;
  readonly #env: Env;
  #watches = 0;

  constructor(setup: ServerSetup, env: Env) {
    this.#setup = setup;
    this.#env = env;
  }

  /** One exchange, until its reply is out or its reader is gone. Errors: none. */
  readonly serve = ({ incoming, outgoing }: Exchange): Observable<never> =>
    readBody(incoming).pipe(
      switchMap((body) => {
        if (typeof body !== 'string') return of(body);
        return this.#setup.handle(requestOf(incoming, body));
      }),
      switchMap((reply) => this.#send(reply, outgoing)),
      catchError((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#env.log('error', 'a request of the API broke', { url: incoming.url, error: text });
        if (!outgoing.headersSent) return this.#send(empty(500), outgoing);
        outgoing.destroy();
        return EMPTY;
      }),
      takeUntil(fromEvent(outgoing, 'close')),
    );

  #send({ status, headers = {}, body }: Reply, outgoing: ServerResponse): Observable<never> {
    if (typeof body === 'object') return this.#stream(headers, body, outgoing);
    return defer(() => {
      if (body !== undefined) outgoing.setHeader('content-length', Buffer.byteLength(body));
      // What was not read of a request must not be taken for the next one.
      if (status === TOO_LONG.status) outgoing.setHeader('connection', 'close');
      outgoing.writeHead(status, headers).end(body);
      return EMPTY;
    });
  }

  /** The head goes out before anything is known. */
  #stream(
    headers: NonNullable<Reply['headers']>,
    body: Observable<string>,
    outgoing: ServerResponse,
  ): Observable<never> {
    if (this.#watches >= this.#setup.maxWatches)
      return this.#send(
        words(503, `expected at most ${this.#setup.maxWatches} watches, got one more`),
        outgoing,
      );
    return defer(() => {
      this.#watches += 1;
      outgoing.writeHead(200, headers).flushHeaders();
      return body.pipe(
        map((line) => `${line}\n`),
        catchError(told),
        tap({ next: (text) => outgoing.write(text), complete: () => outgoing.end() }),
        takeWhile(() => outgoing.writableLength <= MOST_UNREAD_BYTES),
        tap({ complete: () => outgoing.writableEnded || outgoing.destroy() }),
        ignoreElements(),
        finalize(() => {
          this.#watches -= 1;
        }),
      );
    });
  }
}

const makeServer = ({ tls, maxWatches }: ServerSetup): Server => {
  const server =
    tls === undefined
      ? createServer(TIMEOUTS)
      : createSecureServer({ ...TIMEOUTS, ...tls, rejectUnauthorized: tls.requestCert });
  server.maxConnections = maxWatches + MOST_OTHERS;
  server.maxHeadersCount = MOST_HEADERS;
  server.timeout = 0;
  server.on('connection', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
  return server;
};

const boundTo = (server: Server, { text }: Address): string => {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? showPeer(bound.address, bound.port) : text;
};

/** A server that listens. */
export interface Listening {
  /** `ip:port`. */
  readonly address: string;
  /** Serves for as long as it is subscribed; then the listener and all of its connections are closed. Errors: none. */
  readonly run$: Observable<never>;
}

/**
 * Opens the listener: emits it, or one line on why there is none, and completes.
 * Bounds: `maxWatches` streams and some connections more; 1 MiB for a body, 4 MiB for what is unread of a stream.
 */
export const listen = (setup: ServerSetup, env: Env): Observable<Either<string, Listening>> =>
  new Observable((out) => {
    const server = makeServer(setup);
    const api = new Api(setup, env);
    const exchange$ = fromEvent(
      server,
      'request',
      (incoming: IncomingMessage, outgoing: ServerResponse): Exchange => ({ incoming, outgoing }),
    );
    const run$ = exchange$.pipe(
      mergeMap(api.serve),
      finalize(() => {
        server.close();
        server.closeAllConnections();
      }),
    );
    const refused = (error: Error): void => {
      out.next(left(listenError(setup.address, error, setup.place)));
      out.complete();
    };
    server.once('error', refused);
    server.listen({ host: setup.address.ip, port: setup.address.port }, () => {
      server.off('error', refused);
      server.on('error', (error) =>
        env.log('error', 'the API server failed', { error: error.message }),
      );
      out.next(right({ address: boundTo(server, setup.address), run$ }));
      out.complete();
    });
  });
