/** What each admin endpoint answers. */
import type { IncomingMessage } from 'node:http';
import { type Either, match } from 'fp-ts/lib/Either.js';
import type { RouterView } from '../view.ts';
import { ENDPOINTS, type EndpointPath, endpointsText } from './endpoints.ts';
import { CONTENT_TYPE } from './exposition.ts';
import { forbidden } from './guard.ts';

/** What the admin server asks the daemon. */
export interface AdminHandlers {
  readonly metrics: () => Promise<string>;
  /** The configuration as it was written; it holds no secret. */
  readonly config: () => unknown;
  readonly routers: () => Iterable<RouterView> | AsyncIterable<RouterView>;
  /** How a router delegates a name, as JSON; `Left`: what is wrong with the question, or why it cannot be told. */
  readonly delegate: (router: string, path: string) => Promise<Either<string, unknown>>;
  /** Why a connection is routed as it is, by the parameters of the query. */
  readonly explain: (query: URLSearchParams) => Promise<Either<string, unknown>>;
  /** What is recorded, in pieces; `Left`: why it cannot be had. */
  readonly recording: () => Either<string, AsyncIterable<string>>;
  readonly reload: () => Promise<Either<readonly string[], void>>;
  readonly shutdown: () => void;
  readonly abort: () => void;
  /** Names under which the server may be addressed. */
  readonly hosts: () => readonly string[];
  /** Lets the event loop turn between slices of a long answer. */
  readonly turn: () => Promise<void>;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

const NDJSON = 'application/x-ndjson';

/** An answer before it is sent. */
export interface Answer {
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
  for await (const router of routers()) {
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

/** `Left`: what is wrong with the question. */
const jsonOr400 = match(
  (error: string): Answer => text(400, `${error}\n`),
  (json: unknown): Answer => ({
    status: 200,
    type: JSON_TYPE,
    body: `${JSON.stringify(json, null, 2)}\n`,
  }),
);

type Handler = (handlers: AdminHandlers, query: URLSearchParams) => Answer | Promise<Answer>;

const HANDLERS: Readonly<Record<EndpointPath, Handler>> = {
  '/': () => text(200, endpointsText()),
  '/ping': () => text(200, 'pong\n'),
  '/metrics': async ({ metrics }) => ({
    status: 200,
    type: CONTENT_TYPE,
    body: await metrics(),
  }),
  '/config.json': ({ config }) => ({
    status: 200,
    type: JSON_TYPE,
    body: `${JSON.stringify(config(), null, 2)}\n`,
  }),
  '/routers.json': (handlers) => ({ status: 200, type: JSON_TYPE, body: routersJson(handlers) }),
  '/delegator.json': async ({ delegate }, query) =>
    jsonOr400(await delegate(query.get('router') ?? '', query.get('path') ?? '')),
  '/explain': async ({ explain }, query) => jsonOr400(await explain(query)),
  '/recorder/dump': ({ recording }) =>
    match(
      (error: string): Answer => text(400, `${error}\n`),
      (body: AsyncIterable<string>): Answer => ({ status: 200, type: NDJSON, body }),
    )(recording()),
  '/reload': async ({ reload }) => reloaded(await reload()),
  '/shutdown': ({ shutdown }) => ({ ...text(200, 'shutting down\n'), after: shutdown }),
  '/abort': ({ abort }) => ({ ...text(200, 'aborting\n'), after: abort }),
};

/** Finds the answer to a request. Errors: rejects when the daemon cannot say, which is a fault of our own. */
export const answer = async (
  request: IncomingMessage,
  handlers: AdminHandlers,
): Promise<Answer> => {
  const { method = 'GET', headers, url = '/' } = request;
  const refusal = forbidden(
    { method, host: headers.host, origin: headers.origin },
    handlers.hosts(),
  );
  if (refusal !== undefined) return text(403, `${refusal}\n`);
  const [path, query] = url.split('?', 2);
  const endpoint = ENDPOINTS.find((known) => known.path === path);
  if (endpoint === undefined) return text(404, 'no such endpoint; GET / lists those there are\n');
  const allowed = endpoint.method === 'GET' ? ['GET', 'HEAD'] : [endpoint.method];
  if (allowed.includes(method))
    return HANDLERS[endpoint.path](handlers, new URLSearchParams(query));
  return { ...text(405, `expected ${allowed.join(' or ')}\n`), allow: allowed.join(', ') };
};
