/** The admin server: HTTP on its own listener, away from the streams. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Either, left, match, right } from 'fp-ts/lib/Either.js';
import { Observable } from 'rxjs';
import { type Address, showPeer } from '../address.ts';
import type { Env } from '../env.ts';
import { listenError } from '../server/listener.ts';
import type { RouterView } from '../view.ts';
import { ENDPOINTS, type EndpointPath, endpointsText } from './endpoints.ts';
import { forbidden } from './guard.ts';

/** What the admin server asks the daemon. */
export interface AdminHandlers {
  readonly metrics: () => Promise<string>;
  readonly metricsContentType: string;
  /** The configuration as it was written; it holds no secret. */
  readonly config: () => unknown;
  readonly routers: () => Iterable<RouterView>;
  readonly reload: () => Promise<Either<readonly string[], void>>;
  readonly shutdown: () => void;
  readonly abort: () => void;
  /** Names under which the server may be addressed. */
  readonly hosts: () => readonly string[];
  /** Lets the event loop turn between slices of a long answer. */
  readonly turn: () => Promise<void>;
}

export interface AdminServer {
  /** The bound address, `ip:port`. */
  readonly address: string;
  /** Stops listening; answers in progress are finished. */
  readonly close: () => void;
}

/** Against clients that take their time, and against too many of them. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 } as const;
const MOST_CONNECTIONS = 256;

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | AsyncIterable<string>;
  readonly allow?: string;
  /** Done when the answer is out. */
  readonly after?: () => void;
}

const text = (status: number, body: string): Answer => ({ status, type: TEXT, body });

/** The routers one by one: a JSON list that is never in memory as a whole. */
async function* routersJson({ routers, turn }: AdminHandlers): AsyncGenerator<string> {
  let lead = '[';
  for (const router of routers()) {
    yield lead + JSON.stringify(router);
    lead = ',\n';
    await turn();
  }
  yield lead === '[' ? '[]\n' : ']\n';
}

const reloaded = (result: Either<readonly string[], void>): Answer =>
  match(
    (errors: readonly string[]) => text(400, `${errors.join('\n')}\n`),
    () => text(200, 'reloaded\n'),
  )(result);

type Handler = (handlers: AdminHandlers) => Answer | Promise<Answer>;

const HANDLERS: Readonly<Record<EndpointPath, Handler>> = {
  '/': () => text(200, endpointsText()),
  '/ping': () => text(200, 'pong\n'),
  '/metrics': async ({ metrics, metricsContentType }) => ({
    status: 200,
    type: metricsContentType,
    body: await metrics(),
  }),
  '/config.json': ({ config }) => ({
    status: 200,
    type: JSON_TYPE,
    body: `${JSON.stringify(config(), null, 2)}\n`,
  }),
  '/routers.json': (handlers) => ({ status: 200, type: JSON_TYPE, body: routersJson(handlers) }),
  '/reload': async ({ reload }) => reloaded(await reload()),
  '/shutdown': ({ shutdown }) => ({ ...text(200, 'shutting down\n'), after: shutdown }),
  '/abort': ({ abort }) => ({ ...text(200, 'aborting\n'), after: abort }),
};

const answer = async (request: IncomingMessage, handlers: AdminHandlers): Promise<Answer> => {
  const { method = 'GET', headers, url = '/' } = request;
  const refusal = forbidden(
    { method, host: headers.host, origin: headers.origin },
    handlers.hosts(),
  );
  if (refusal !== undefined) return text(403, `${refusal}\n`);
  const [path] = url.split('?', 1);
  const endpoint = ENDPOINTS.find((known) => known.path === path);
  if (endpoint === undefined) return text(404, 'no such endpoint; GET / lists those there are\n');
  const allowed = endpoint.method === 'GET' ? ['GET', 'HEAD'] : [endpoint.method];
  if (allowed.includes(method)) return HANDLERS[endpoint.path](handlers);
  return { ...text(405, `expected ${allowed.join(' or ')}\n`), allow: allowed.join(', ') };
};

const send = async (
  response: ServerResponse,
  { status, type, body, allow, after }: Answer,
): Promise<void> => {
  if (after !== undefined) response.once('close', after);
  response.writeHead(status, {
    'content-type': type,
    ...(typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {}),
    ...(allow === undefined ? {} : { allow }),
    // A page must not read what it was not meant to have, whatever it believes the answer to be.
    'x-content-type-options': 'nosniff',
  });
  if (typeof body === 'string') {
    response.end(body);
    return;
  }
  for await (const part of body) response.write(part);
  response.end();
};

const makeServer = (handlers: AdminHandlers, { log }: Env): Server => {
  const server = createServer(LIMITS, (request, response) => {
    // Nothing that is sent along is wanted.
    request.resume();
    answer(request, handlers)
      .then((found) => send(response, found))
      .catch((error: unknown) => {
        log('error', 'an admin request broke', { url: request.url, error: String(error) });
        response.destroy();
      });
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
};

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

const boundTo = (server: Server, { text: asked }: Address): string => {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? showPeer(bound.address, bound.port) : asked;
};

/**
 * Binds the admin server: emits it, or one line on why there is none, and completes.
 * Owns: its listener and connections until `close`.
 */
export const bindAdmin = (
  address: Address,
  handlers: AdminHandlers,
  env: Env,
): Observable<Either<string, AdminServer>> =>
  new Observable((out) => {
    const server = makeServer(handlers, env);
    const refused = (error: Error): void => {
      out.next(left(listenError(address, error, 'admin.port')));
      out.complete();
    };
    server.once('error', refused);
    server.listen({ host: address.ip, port: address.port }, () => {
      server.off('error', refused);
      server.on('error', (error) =>
        env.log('error', 'admin server failed', { error: error.message }),
      );
      const addr = boundTo(server, address);
      env.log('info', 'admin listening', { addr });
      if (!isLoopback(address.ip))
        env.log('warn', 'the admin server has no authentication and listens beyond loopback', {
          addr,
        });
      const close = (): void => {
        server.close();
        server.closeIdleConnections();
      };
      out.next(right({ address: addr, close }));
      out.complete();
    });
  });
