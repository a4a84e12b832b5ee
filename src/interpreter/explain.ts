/** What an interpreter makes of a name, step by step, as an operator asks it. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { endWith, last, map, type Observable, of, scan, takeUntil, takeWhile, timer } from 'rxjs';
import type { WeightedAddress } from '../address.ts';
import type { Custom, InterpreterConfig, NamerdHttpConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import { makeCustomInterpreter } from '../plugins/make.ts';
import { ByteQueue } from './bytes.ts';
import { followDelegation } from './delegated.ts';
import { excerpt } from './excerpt.ts';
import { exchange, type Part } from './exchange.ts';
import { guardInterpreter } from './guard.ts';
import { makeHttp } from './http.ts';
import type { Resolution } from './interpreter.ts';
import type { Addr } from './namers/namer.ts';
import { addrJson, type Json } from './names-json.ts';
import { makeNamings, type Namings } from './namings.ts';
import type { Transport } from './transport.ts';

/** What is not known after so long is shown as `pending`. */
export const EXPLAIN_MS = 3_000;

/** Largest document that namerd may answer. */
const MOST_BYTES = 16 * 2 ** 20;

/** What it asks with; absent: what routers have by themselves. */
export interface ExplainContext {
  readonly http?: Transport;
  readonly namings?: Namings;
}

/** The steps as namerd’s JSON of `/delegate`, or why there are none. */
export type Explained = Either<string, Json>;

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deepest answer that is taken: an explanation of ours has a few for each of its look-ups. */
const MOST_LEVELS = 1000;

/** Level by level: what has too many of them must not be walked into. */
const isShallow = (json: unknown): boolean => {
  let level: readonly unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return false;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return true;
};

const parse = (text: string): Explained => {
  try {
    const json: unknown = JSON.parse(text);
    if (!isShallow(json)) return left(`namerd: expected at most ${MOST_LEVELS} levels, got more`);
    if (isJson(json)) return right(json);
  } catch {
    // Told below.
  }
  return left(`namerd: expected JSON, got ${excerpt(text) || 'nothing'}`);
};

const read = (body: ByteQueue, part: Part): Explained | undefined => {
  switch (part.t) {
    case 'bytes':
      body.push(part.bytes);
      return body.size > MOST_BYTES
        ? left(`namerd: expected at most ${MOST_BYTES} bytes`)
        : undefined;
    case 'ended':
      return parse(body.take());
    case 'failed':
      return left(part.cause);
    case 'expired':
      return left(`namerd: no answer within ${EXPLAIN_MS} ms`);
  }
};

const askNamerd = (
  { baseUrl, namespace }: NamerdHttpConfig,
  { path, http }: { readonly path: Path; readonly http: Transport },
  { scheduler }: Env,
): Observable<Explained> => {
  const url = `${baseUrl}/api/1/delegate/${encodeURIComponent(namespace)}?path=${encodeURIComponent(path)}`;
  const body = new ByteQueue();
  return exchange(http(url, 'poll'), { limitMs: EXPLAIN_MS }, scheduler).pipe(
    scan((known: Explained | undefined, part) => known ?? read(body, part), undefined),
    takeWhile((known) => known === undefined, true),
    last(),
    map((known) => known ?? left('namerd: no reply')),
  );
};

/** Addresses that tell their weights, where these are not the usual one. */
const weighed = (endpoints: readonly WeightedAddress[]): Addr => ({
  t: 'bound',
  endpoints: endpoints.map(({ address, weight }) =>
    weight === 1
      ? { address, weight }
      : { address, weight, meta: { endpoint_addr_weight: weight } },
  ),
});

/** What an interpreter of a plugin says first that settles anything, or last of what does not. */
const askCustom = (config: Custom, path: Path, env: Env): Observable<Explained> =>
  guardInterpreter(() => makeCustomInterpreter(config, env), env)
    .resolve(path)
    .pipe(
      takeWhile(({ t }) => t === 'pending', true),
      takeUntil(timer(EXPLAIN_MS, env.scheduler)),
      endWith(undefined),
      scan((known: Resolution | undefined, said) => said ?? known, undefined),
      last(),
      map((said): Explained => {
        if (said?.t === 'failed') return left(said.cause);
        if (said?.t === 'neg') return right({ type: 'neg', path });
        const addr = addrJson(said?.t === 'bound' ? weighed(said.endpoints) : { t: 'pending' });
        return right({ type: 'leaf', path, bound: { addr, id: path, path: '/' } });
      }),
    );

/** Explains a name: one answer within some seconds, then the end. Errors: none. */
export const explainName = (
  config: InterpreterConfig,
  { path, http = makeHttp(), namings }: ExplainContext & { readonly path: Path },
  env: Env,
): Observable<Explained> => {
  switch (config.kind) {
    case 'default': {
      const naming = (namings ?? makeNamings(env))(config.namers);
      return followDelegation(naming, { dtab: config.dtab, path }, env).pipe(
        takeWhile(({ isSettled }) => !isSettled, true),
        takeUntil(timer(EXPLAIN_MS, env.scheduler)),
        last(),
        map(({ json }) => right(json)),
      );
    }
    case 'io.l5d.namerd.http':
      return askNamerd(config, { path, http }, env);
    case 'custom':
      return askCustom(config, path, env);
    case 'static': {
      const endpoints = config.names.get(path);
      if (endpoints === undefined) return of(right({ type: 'neg', path }));
      const addr = addrJson(weighed(endpoints));
      return of(right({ type: 'leaf', path, bound: { addr, id: path, path: '/' } }));
    }
  }
};
