/** The HTTP server around the API. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import {
  finalize,
  fromEvent,
  groupBy,
  mergeMap,
  Observable,
  type OperatorFunction,
  takeUntil,
} from 'rxjs';
import { type Address, showPeer } from '../address.ts';
import type { Env } from '../env.ts';
import { listenError } from '../listen-error.ts';
import { Api, type ApiSetup, type Counts, type Exchange } from './exchanges.ts';

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

/** PEM of a server’s certificate and key; `ca`: of the roots of clients, who must show a certificate then. */
export interface ServerPem {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert: boolean;
}

/** What is listened on. */
export interface ServerSetup extends ApiSetup {
  readonly address: Address;
  /** Where the port stands in the configuration. */
  readonly place: string;
  readonly tls?: ServerPem;
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

/** Ends with a connection all of its exchanges: Node tells its end to no reply but the one whose turn it is. */
const untilClosed =
  (serve: Api['serve']): OperatorFunction<Exchange, never> =>
  (exchange$) =>
    exchange$.pipe(
      groupBy(({ incoming }) => incoming.socket, {
        duration: ({ key }) => fromEvent(key, 'close'),
      }),
      mergeMap((own$) => own$.pipe(mergeMap(serve), takeUntil(fromEvent(own$.key, 'close')))),
    );

/** A server that listens. */
export interface Listening {
  /** `ip:port`. */
  readonly address: string;
  /** Serves for as long as it is subscribed; then the listener and all of its connections are closed. Errors: none. */
  readonly run$: Observable<never>;
  readonly counts: () => Counts;
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
      untilClosed(api.serve),
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
      out.next(
        right({ address: boundTo(server, setup.address), run$, counts: () => api.counts() }),
      );
      out.complete();
    });
  });
