/** Names of namerd with their unions: the tree that a name is bound to, and the addresses of each of its leaves. */
import {
  connect,
  defer,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  scan,
  switchMap,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { mapTree, NEG } from '../dtab/name-tree.ts';
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import { type Good, parseAnswer, type Settled, type Unsettled } from './answer.ts';
import { type BoundIds, isSameTree, parseBound } from './bind-answer.ts';
import { combined } from './dtab-interpreter.ts';
import type { BoundName, KnownAddr } from './dtab-naming.ts';
import type { Resolution } from './interpreter.ts';
import { keep, type LastGood } from './last-good.ts';
import { type Followed, type Namerd, SILENCE_MS } from './namerd-follow.ts';
import type { Bound } from './namers/namer.ts';
import { isSame } from './same.ts';
import { sharedBy } from './shared.ts';

const ROOT = '/' as Path;

/** What an answer leaves known, with the time at which it was heard last. */
const remembered = <G extends Settled>(
  followed$: Observable<Followed<G>>,
  { scheduler }: Env,
): Observable<LastGood<G>> =>
  followed$.pipe(
    scan((known: LastGood<G>, said) => {
      if (said.t === 'confirmed') return { ...known, at: scheduler.now() };
      const next = keep<G>(known, said as G | Unsettled);
      return said.t === 'bound' || said.t === 'neg'
        ? { ...next, at: scheduler.now() }
        : { ...next, at: known.at };
    }, {}),
  );

/** Addresses are observed elsewhere, by the id. */
const toBound = (id: Path): Bound => ({ id, residual: ROOT, addr$: of() });

const nameOf = ({ good, doubt, at }: LastGood<BoundIds>): BoundName => {
  if (good === undefined)
    return {
      known: doubt === undefined ? { t: 'pending' } : { t: 'failed', cause: doubt },
    };
  const tree = good.t === 'neg' ? NEG : mapTree(good.tree, toBound);
  return { known: { t: 'ok', tree }, doubt, at };
};

const isSettled = ({ t }: Resolution): boolean => t === 'bound' || t === 'neg';

/** Has another stand in after a while of nothing, until there is something. */
const helpedOut =
  (stand$: Observable<Resolution>, { scheduler }: Env) =>
  (union$: Observable<Resolution>): Observable<Resolution> =>
    defer(() => {
      let isHelped = false;
      return union$.pipe(
        connect((shared$) => {
          const settled$ = shared$.pipe(filter(isSettled), take(1));
          const help$ = timer(SILENCE_MS, scheduler).pipe(
            switchMap(() => stand$),
            tap(() => {
              isHelped = true;
            }),
            takeUntil(settled$),
          );
          const done$ = settled$.pipe(
            tap(() => {
              isHelped = false;
            }),
            ignoreElements(),
          );
          return merge(done$, shared$.pipe(filter(() => !isHelped)), help$);
        }),
      );
    });

/**
 * Makes the look-up of names with their unions.
 *
 *   bind   --u---------v-      u 9 * x & 1 * y     v only x
 *   x      ---1-----2----      one watch for each concrete name, however many names lead to it
 *   y      ----3---------
 *   told   p--ab----c--d-      a x alone, since y is not known yet     b 9 * 1 & 1 * 3     d 2
 *
 * `bind` waits for all of its leaves: while nothing has come of it for 2 s, `resolve` stands in, which draws one
 * branch. Errors: none. Ends: never.
 */
export const unionsOf = (
  namerd: Namerd,
  resolve: (dst: Path) => Observable<Resolution>,
  env: Env,
): ((dst: Path) => Observable<Resolution>) => {
  const addr = (id: Path): Observable<KnownAddr> =>
    remembered(namerd.follow<Good>({ verb: 'addr', path: id, parse: parseAnswer, isSame }), env);
  const shared = sharedBy(String, addr, env);
  const addrOf = ({ id }: Bound): Observable<KnownAddr> => shared(id);
  return (dst) => {
    const ids$ = namerd.follow<BoundIds>({
      verb: 'bind',
      path: dst,
      parse: parseBound,
      isSame: isSameTree,
    });
    const name$ = remembered(ids$, env).pipe(map(nameOf));
    return combined(name$, addrOf, env).pipe(helpedOut(resolve(dst), env));
  };
};
