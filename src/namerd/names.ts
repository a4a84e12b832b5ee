/** The part of the API that looks names up: bind, addr, resolve and delegate. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  combineLatest,
  distinctUntilChanged,
  filter,
  map,
  type Observable,
  of,
  switchMap,
  take,
  throwError,
  timeout,
} from 'rxjs';
import type { Delegation } from '../dtab/delegation.ts';
import type { Dtab } from '../dtab/dtab.ts';
import { leaves, type NameTree } from '../dtab/name-tree.ts';
import { parseDtab, parseName } from '../dtab/parse.ts';
import type { Env } from '../env.ts';
import { followDelegation } from '../interpreter/delegated.ts';
import type { Addr, Bound } from '../interpreter/namers/namer.ts';
import { addrJson, treeJson } from '../interpreter/names-json.ts';
import type { Naming } from '../interpreter/naming.ts';
import { isSameAddr } from '../interpreter/same.ts';
import type { Path } from '../path.ts';
import { dtabOf } from './dtabs.ts';
import { isYes, type Params } from './params.ts';
import { empty, Failure, JSON_TYPE, line, lines, type Reply, words } from './reply.ts';
import type { DtabStore } from './store.ts';

/** Longest wait for an explanation. Source: namerd. */
export const DELEGATE_MS = 2_000;

/** A question about a name. */
interface Asked {
  readonly path: Path;
  readonly dtab$: Observable<Dtab>;
  readonly isWatch: boolean;
}

const fail = (cause: string): Observable<never> => throwError(() => new Failure(cause));

const NEG: Addr = { t: 'neg' };

/** Where a name leads as long as there is one way. */
const endOf = (step: Delegation<Bound>): Delegation<Bound> =>
  step.t === 'delegate' ? endOf(step.tree) : step;

/** Looks names up in the dtabs of a store. */
export class NameService {
  readonly #naming: Naming;
  readonly #store: DtabStore;
  readonly #env: Env;

  constructor({ naming, store }: { readonly naming: Naming; readonly store: DtabStore }, env: Env) {
    this.#naming = naming;
    this.#store = store;
    this.#env = env;
  }

  bind(namespace: string, params: Params): Observable<Reply> {
    return this.#asked(namespace, params, ({ path, dtab$, isWatch }) => {
      const json$ = this.#tree$(path, dtab$).pipe(switchMap((tree) => this.#rendered(tree)));
      return this.#reply(json$, isWatch, {});
    });
  }

  addr(namespace: string, params: Params): Observable<Reply> {
    return this.#asked(namespace, params, ({ path, isWatch }) =>
      this.#reply(this.#addrs(this.#naming.addr(path)), isWatch, {}),
    );
  }

  resolve(namespace: string, params: Params): Observable<Reply> {
    return this.#asked(namespace, params, ({ path, dtab$, isWatch }) => {
      const addr$ = this.#tree$(path, dtab$).pipe(switchMap((tree) => this.#drawn(tree)));
      return this.#reply(this.#addrs(addr$), isWatch);
    });
  }

  delegate(namespace: string | undefined, params: Params): Observable<Reply> {
    const dtab = this.#extra(params);
    if (isLeft(dtab)) return of(words(namespace === undefined ? 400 : 500, dtab.left));
    const base$ = namespace === undefined ? of([]) : dtabOf(this.#store, namespace);
    const late = (): Observable<Reply> => of(words(503, 'Request timed out.'));
    return this.ofPath(params, (path) =>
      base$.pipe(
        take(1),
        switchMap((base) => this.#explained([...base, ...dtab.right], path)),
        timeout({ first: DELEGATE_MS, scheduler: this.#env.scheduler, with: late }),
      ),
    );
  }

  /** Answers by the path that is asked for. One that is missing is a fault of namerd’s, which clients know as 500. */
  ofPath(params: Params, answer: (path: Path) => Observable<Reply>): Observable<Reply> {
    const text = params.get('path');
    if (text === undefined) return of(empty(500));
    const path = parseName(text);
    return isLeft(path)
      ? of(words(400, `Invalid path: ${text} / ${path.left.message}`))
      : answer(path.right);
  }

  #explained(dtab: Dtab, path: Path): Observable<Reply> {
    return followDelegation(this.#naming, { dtab, path }, this.#env).pipe(
      filter(({ isSettled }) => isSettled),
      take(1),
      map(({ step, json }): Reply => {
        const end = endOf(step);
        if (end.t === 'exception') return words(500, end.message);
        return { status: 200, headers: JSON_TYPE, body: JSON.stringify(json) };
      }),
    );
  }

  #asked(
    namespace: string,
    params: Params,
    answer: (asked: Asked) => Observable<Reply>,
  ): Observable<Reply> {
    return this.ofPath(params, (path) => {
      const dtab = this.#extra(params);
      if (isLeft(dtab)) return of(words(500, dtab.left));
      const more = dtab.right;
      const dtab$ = dtabOf(this.#store, namespace).pipe(map((base) => [...base, ...more]));
      return answer({ path, dtab$, isWatch: isYes(params.get('watch')) });
    });
  }

  #extra(params: Params): Either<string, Dtab> {
    const text = params.get('dtab');
    if (text === undefined) return right([]);
    const dtab = parseDtab(text);
    return isLeft(dtab) ? left(`Invalid dtab: ${dtab.left.message}`) : dtab;
  }

  #tree$(path: Path, dtab$: Observable<Dtab>): Observable<NameTree<Bound>> {
    return this.#naming.bind(dtab$, path).pipe(
      filter(({ t }) => t !== 'pending'),
      switchMap((known) => {
        if (known.t === 'ok') return of(known.tree);
        return fail(known.t === 'failed' ? known.cause : known.t);
      }),
    );
  }

  /** The addresses of concrete names once each is known. */
  #known(all: readonly Bound[]): Observable<ReadonlyMap<Path, Addr>> {
    const ids = [...new Set(all.map(({ id }) => id))];
    if (ids.length === 0) return of(new Map());
    const addrs = ids.map((id) =>
      this.#naming.addr(id).pipe(
        filter(({ t }) => t !== 'pending'),
        take(1),
        map((addr) => [id, addr] as const),
      ),
    );
    return combineLatest(addrs).pipe(map((found) => new Map(found)));
  }

  #rendered(tree: NameTree<Bound>): Observable<string> {
    return this.#known(leaves(tree)).pipe(
      map((addrs) => JSON.stringify(treeJson(tree, ({ id }) => addrs.get(id) ?? NEG))),
    );
  }

  /** One branch of each union, drawn by weight; what does not lead to addresses is `neg`. */
  #drawn(tree: NameTree<Bound>): Observable<Addr> {
    switch (tree.t) {
      case 'leaf':
        return this.#naming.addr(tree.value.id);
      case 'union': {
        const total = tree.branches.reduce((sum, { weight }) => sum + weight, 0);
        const share = (weight: number): number =>
          total > 0 ? weight / total : 1 / tree.branches.length;
        let rest = this.#env.random();
        const drawn = tree.branches.find(({ weight }) => {
          rest -= share(weight);
          return rest < 0;
        });
        return this.#drawn((drawn ?? tree.branches.at(-1))?.tree ?? { t: 'neg' });
      }
      default:
        return of(NEG);
    }
  }

  #addrs(addr$: Observable<Addr>): Observable<string> {
    return addr$.pipe(
      filter(({ t }) => t !== 'pending'),
      distinctUntilChanged(isSameAddr),
      map((addr) => JSON.stringify(addrJson(addr))),
    );
  }

  #reply(
    json$: Observable<string>,
    isWatch: boolean,
    headers?: Reply['headers'],
  ): Observable<Reply> {
    if (isWatch) return of(lines(json$, headers));
    return json$.pipe(
      take(1),
      map((json) => line(json, headers)),
    );
  }
}
