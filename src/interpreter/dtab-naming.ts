/** Names by a dtab and namers: look-ups are evaluated anew when one of them changes, and shared among names. */
import { defer, distinctUntilChanged, map, type Observable, of, scan, switchMap, tap } from 'rxjs';
import type { Delegation } from '../dtab/delegation.ts';
import type { Dtab } from '../dtab/dtab.ts';
import { type Ask, evaluate, type Known } from '../dtab/evaluate.ts';
import { explain } from '../dtab/explain.ts';
import { mapTree, type NameTree } from '../dtab/name-tree.ts';
import { showTree } from '../dtab/print.ts';
import { canonicalPath } from '../dtab/segment.ts';
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import { guarded } from './guarded.ts';
import { makeJournal } from './journal.ts';
import { believed, type GoodAddr, type GoodBinding, keep, type LastGood } from './last-good.ts';
import { isAddr, isBinding } from './namers/check.ts';
import type { Addr, Binding, Bound, Namer } from './namers/namer.ts';
import type { BoundTree, Naming } from './naming.ts';
import { reckon } from './reckon.ts';
import { sharedBy } from './shared.ts';

/** Changes of a look-up that come sooner wait for so long. */
export const BINDING_WINDOW_MS = 20;

/** Changes of a set of addresses that come sooner wait for so long. */
export const ADDR_WINDOW_MS = 100;

/** What is known of a concrete name, with whether it may be old. */
export type KnownAddr = LastGood<GoodAddr>;

/** A bound tree, and why it may be old. */
export interface BoundName {
  readonly known: Known<Bound>;
  /** It has failed, and no namer did: its rules lead nowhere that can be reached. */
  readonly isAstray?: boolean;
  readonly doubt?: string | undefined;
  /** ms of the scheduler at which it was heard last; absent: it holds until another comes. */
  readonly at?: number | undefined;
}

/** A naming that also tells what is in doubt. */
export interface DtabNaming extends Naming {
  readonly follow: (dtab$: Observable<Dtab>, path: Path) => Observable<BoundName>;
  /** Addresses of a concrete name, the last good ones while they cannot be had. */
  readonly addrOf: (bound: Bound) => Observable<KnownAddr>;
}

const failed = (cause: string): { readonly t: 'failed'; readonly cause: string } => ({
  t: 'failed',
  cause,
});

/** What tells one bound tree from another. */
const shapeOf = (tree: NameTree<Bound>): string =>
  showTree(mapTree(tree, ({ id, residual }) => `${id} ${residual}` as Path));

/** Compares what names are bound to; the order of branches is part of it. */
export const isSameTree = (one: BoundTree, other: BoundTree): boolean => {
  if (one.t === 'ok' && other.t === 'ok') return shapeOf(one.tree) === shapeOf(other.tree);
  if (one.t === 'failed' && other.t === 'failed') return one.cause === other.cause;
  return one.t === other.t;
};

/** The one concrete name that an id stands for. */
const onlyLeaf = (id: Path, known: BoundTree): Bound | Addr => {
  if (known.t !== 'ok') return known;
  switch (known.tree.t) {
    case 'leaf':
      return known.tree.value;
    case 'empty':
      return { t: 'bound', endpoints: [] };
    case 'neg':
      return { t: 'neg' };
    case 'fail':
      return failed('name tree failed');
    default:
      return failed(`${id} is not a concrete bound id`);
  }
};

/** Has the log know what fails, once, and when it works again. */
const logged = <V extends Binding | Addr>(
  said$: Observable<V>,
  dst: Path,
  env: Env,
): Observable<V> =>
  defer(() => {
    const journal = makeJournal({ dst }, env);
    let wasFailed = false;
    return said$.pipe(
      tap((said) => {
        const isFailed = said.t === 'failed';
        // One failure after another is no news, but the quiet time may have passed.
        if (isFailed && wasFailed) journal({});
        else journal({ news: said.t === 'ok' ? { t: 'bound' } : said });
        wasFailed = isFailed;
      }),
    );
  });

class Names implements DtabNaming {
  readonly #env: Env;
  readonly #lookup: (path: Path) => Observable<LastGood<GoodBinding>>;
  readonly addrOf: (bound: Bound) => Observable<KnownAddr>;

  constructor(namer: Namer, env: Env) {
    this.#env = env;
    const binding = { failed, isValue: isBinding, windowMs: BINDING_WINDOW_MS };
    const lookup = (path: Path): Observable<LastGood<GoodBinding>> => {
      const said$ = guarded<Binding>(
        defer(() => namer(path)),
        binding,
        env,
      );
      return logged(said$, path, env).pipe(
        scan((known: LastGood<GoodBinding>, said) => keep(known, said), {}),
      );
    };
    this.#lookup = sharedBy(String, lookup, env);
    const addr = { failed, isValue: isAddr, windowMs: ADDR_WINDOW_MS };
    const addrOf = ({ id, addr$ }: Bound): Observable<KnownAddr> =>
      logged(guarded<Addr>(addr$, addr, env), id, env).pipe(
        scan((known: KnownAddr, said) => keep<GoodAddr>(known, said), {}),
      );
    this.addrOf = sharedBy(({ id }) => id, addrOf, env);
  }

  readonly follow = (dtab$: Observable<Dtab>, path: Path): Observable<BoundName> => {
    const name = canonicalPath(path);
    return this.#reckon(dtab$, (dtab, ask) => {
      let isHeard = false;
      const known = evaluate<Bound>(dtab, name, (asked) => {
        const said = ask(asked);
        isHeard ||= said.t === 'failed';
        return said;
      });
      return { known, isAstray: known.t === 'failed' && !isHeard };
    }).pipe(map(({ known: found, doubt }) => ({ ...found, doubt })));
  };

  readonly bind = (dtab$: Observable<Dtab>, path: Path): Observable<BoundTree> =>
    this.follow(dtab$, path).pipe(
      map(({ known }) => known),
      distinctUntilChanged(isSameTree),
    );

  readonly addr = (id: Path): Observable<Addr> =>
    this.bind(of([]), id).pipe(
      map((known) => onlyLeaf(id, known)),
      switchMap((found) =>
        'id' in found ? this.addrOf(found).pipe(map((known) => believed(known))) : of(found),
      ),
      distinctUntilChanged(),
    );

  readonly delegate = (dtab: Dtab, path: Path): Observable<Delegation<Bound>> => {
    const name = canonicalPath(path);
    return this.#reckon(of(dtab), (rules, ask) => explain<Bound>(rules, name, ask)).pipe(
      map(({ known }) => known),
    );
  };

  /** What is computed of a dtab and of what namers say now. */
  #reckon<R>(
    dtab$: Observable<Dtab>,
    compute: (dtab: Dtab, ask: Ask<Bound>) => R,
  ): Observable<{ readonly known: R; readonly doubt: string | undefined }> {
    return reckon<Dtab, Path, LastGood<GoodBinding>, { known: R; doubt: string | undefined }>(
      {
        input$: dtab$,
        source: this.#lookup,
        keyOf: String,
        compute: (dtab, said) => {
          let doubt: string | undefined;
          const known = compute(dtab, (asked) => {
            const last = said(asked);
            if (last?.good !== undefined) doubt ??= last.doubt;
            return believed(last);
          });
          return { known, doubt };
        },
      },
      this.#env.scheduler,
    );
  }
}

/** Makes a naming of what a namer knows: it is asked for each name that no rule applies to. */
export const makeDtabNaming = (namer: Namer, env: Env): DtabNaming => new Names(namer, env);
