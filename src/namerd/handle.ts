/** Which part of the API answers a request. */
import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { catchError, distinctUntilChanged, map, type Observable, of, take, timeout } from 'rxjs';
import type { Env } from '../env.ts';
import { namesJson } from '../interpreter/names-json.ts';
import type { Naming } from '../interpreter/naming.ts';
import type { Path } from '../path.ts';
import { Dtabs } from './dtabs.ts';
import { NameService } from './names.ts';
import { isYes, type Params, paramsOf } from './params.ts';
import { empty, Failure, header, line, lines, type Reply, type Request, words } from './reply.ts';
import type { DtabStore } from './store.ts';

/** Longest wait for a reply, or for the head of a stream; namerd itself waits for ever. */
export const ANSWER_MS = 60_000;

/** What is served. */
export interface Served {
  readonly naming: Naming;
  readonly store: DtabStore;
  /** The concrete names that namers know of themselves. */
  readonly bound$: Observable<readonly Path[]>;
}

/** Answers a request: one reply, then the end. Errors: only a fault of our own. */
export type Handle = (request: Request) => Observable<Reply>;

const DelegateBody = t.intersection([
  t.type({ dtab: t.string, path: t.string }),
  t.partial({ namespace: t.string }),
]);

const readDelegateBody = (body: string): t.TypeOf<typeof DelegateBody> | undefined => {
  try {
    const decoded = DelegateBody.decode(JSON.parse(body));
    return isLeft(decoded) ? undefined : decoded.right;
  } catch {
    return undefined;
  }
};

class Api {
  readonly #served: Served;
  readonly #dtabs: Dtabs;
  readonly #names: NameService;
  readonly #env: Env;

  constructor(served: Served, env: Env) {
    this.#served = served;
    this.#env = env;
    this.#dtabs = new Dtabs(served.store, env.log);
    this.#names = new NameService(served, env);
  }

  readonly handle: Handle = (request) => {
    const { method, path } = request;
    // A page must not change what it was not meant to see.
    if (method !== 'GET' && method !== 'HEAD' && header(request, 'origin') !== undefined)
      return of(words(403, 'expected no Origin header: web pages may not change names'));
    const late = (): Observable<Reply> => of(words(504, `no answer within ${ANSWER_MS} ms`));
    return this.#route(request, path).pipe(
      timeout({ first: ANSWER_MS, scheduler: this.#env.scheduler, with: late }),
      catchError((error: unknown) => {
        if (error instanceof Failure) return of(empty(500));
        throw error;
      }),
    );
  };

  #route(request: Request, path: string): Observable<Reply> {
    const [, verb, rest] =
      /^\/api\/1\/(dtabs|bind|addr|resolve|delegate|bound-names)(.*)$/s.exec(path) ?? [];
    switch (verb) {
      case 'dtabs':
        if (rest === '' || rest === '/') return this.#dtabs.list(request);
        return rest?.startsWith('/') === true
          ? this.#dtabs.one(request, rest.slice(1))
          : of(empty(404));
      case 'bind':
      case 'addr':
      case 'resolve':
        return this.#name(verb, rest ?? '', paramsOf(request));
      case 'delegate':
        return this.#delegate(request, rest ?? '');
      case 'bound-names':
        return rest === '' && request.method === 'GET' ? this.#bound(request) : of(empty(404));
      default:
        return of(empty(404));
    }
  }

  #name(verb: 'bind' | 'addr' | 'resolve', rest: string, params: Params): Observable<Reply> {
    if (rest.startsWith('/')) return this.#names[verb](rest.slice(1), params);
    // The path is looked at before the namespace is.
    return this.#names.ofPath(params, () => of(empty(404)));
  }

  #delegate(request: Request, rest: string): Observable<Reply> {
    if (rest.startsWith('/')) return this.#names.delegate(rest.slice(1), paramsOf(request));
    if (request.method === 'GET') {
      const params = paramsOf(request);
      return this.#names.delegate(undefined, params);
    }
    if (request.method !== 'POST') return of(empty(405));
    if (header(request, 'content-type') !== 'application/json') return of(empty(415));
    const body = readDelegateBody(request.body);
    if (body === undefined)
      return of(words(400, 'expected a JSON object with dtab and path, and namespace if wanted'));
    const { namespace, ...params } = body;
    return this.#names.delegate(namespace, new Map(Object.entries(params)));
  }

  #bound(request: Request): Observable<Reply> {
    const json$ = this.#served.bound$.pipe(map(namesJson), distinctUntilChanged());
    if (isYes(paramsOf(request).get('watch'))) return of(lines(json$));
    return json$.pipe(
      take(1),
      map((json) => line(json)),
    );
  }
}

/** Makes the handler of namerd’s HTTP control API. */
export const makeHandle = (served: Served, env: Env): Handle => new Api(served, env).handle;
