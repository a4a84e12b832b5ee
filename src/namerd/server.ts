/** The HTTP server around the API. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import {
  defer,
  EMPTY,
  finalize,
  fromEvent,
  groupBy,
  map,
  merge,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
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

const limit = (server: Server, maxWatches: number): void => {
  server.maxConnections = maxWatches + MOST_OTHERS;
};

/** What of a listener may change while it listens. */
export type Renewal = Pick<ServerSetup, 'maxWatches' | 'tls'>;

const makeServer = ({ tls, maxWatches }: ServerSetup): Server => {
  const server =
    tls === undefined
      ? createServer(TIMEOUTS)
      : createSecureServer({ ...TIMEOUTS, ...tls, rejectUnauthorized: tls.requestCert });
  limit(server, maxWatches);
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
  readonly counts: () => Counts;
  /** For whoever comes from now on; of TLS the certificates and keys alone. */
  readonly renew: (renewal: Renewal) => void;
}

const serving = (server: Server, setup: ServerSetup, env: Env) => {
  const api = new Api(setup, env);
  const served$ = fromEvent(
    server,
    'request',
    (incoming: IncomingMessage, outgoing: ServerResponse): Exchange => ({ incoming, outgoing }),
  ).pipe(untilClosed(api.serve));
  const renew = ({ maxWatches, tls }: Renewal): void => {
    limit(server, maxWatches);
    api.limit(maxWatches);
    if (tls !== undefined && server instanceof SecureServer) server.setSecureContext(tls);
  };
  const opened$ = fromEvent(server, 'listening').pipe(
    map(() =>
      right({ address: boundTo(server, setup.address), counts: () => api.counts(), renew }),
    ),
  );
  const failed$ = fromEvent(server, 'error', (error: Error) => error).pipe(
    mergeMap((error) => {
      if (!server.listening) return of(left(listenError(setup.address, error, setup.place)));
      env.log('error', 'the API server failed', { error: error.message });
      return EMPTY;
    }),
  );
  const begin$ = defer(() => {
    server.listen({ host: setup.address.ip, port: setup.address.port });
    return EMPTY;
  });
  // Begun last: whoever connects at once is heard.
  return merge(served$, opened$, failed$, begin$);
};

/**
 * Opens the listener: emits it, or one line on why there is none. Serves for as long as it is subscribed; then the
 * listener and all of its connections are closed. Errors: none. Ends: never.
 * Bounds: `maxWatches` streams and some connections more; 1 MiB for a body, 4 MiB and one document for what is unread of a stream.
 */
export const listen = (setup: ServerSetup, env: Env): Observable<Either<string, Listening>> =>
  defer(() => {
    const server = makeServer(setup);
    return serving(server, setup, env).pipe(
      finalize(() => {
        server.close();
        server.closeAllConnections();
      }),
    );
  });
