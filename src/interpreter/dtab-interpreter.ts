/** The interpreter `default`: names by the router’s own dtab and namers. */
import {
  concatMap,
  connect,
  distinctUntilChanged,
  EMPTY,
  interval,
  map,
  merge,
  type Observable,
  scan,
  switchMap,
} from 'rxjs';
import type { Dtab } from '../dtab/dtab.ts';
import type { Env } from '../env.ts';
import type { BoundName, DtabNaming, KnownAddr } from './dtab-naming.ts';
import type { Interpreter, Resolution, Said } from './interpreter.ts';
import { believed } from './last-good.ts';
import type { Bound } from './namers/namer.ts';
import { reckon } from './reckon.ts';
import { resolutionOf } from './resolution-of.ts';
import { isSame } from './same.ts';

/** What is known without doubt is confirmed so often: its age counts from then. */
export const CONFIRM_MS = 30_000;

const CONFIRMED: Resolution = { t: 'confirmed' };

/** What a name comes to, and why it may be old. */
interface Reckoned {
  readonly said: Said;
  readonly doubt: string | undefined;
}

type Good = Extract<Said, { t: 'bound' | 'neg' }>;

/** What was told, and what is to be told now. */
interface Told {
  readonly good?: Good | undefined;
  readonly doubt?: string | undefined;
  readonly news: readonly Resolution[];
}

const isGood = (said: Said): said is Good => said.t === 'bound' || said.t === 'neg';

const reckoned = (
  { known, doubt }: BoundName,
  addrOf: (bound: Bound) => KnownAddr | undefined,
): Reckoned => {
  if (known.t !== 'ok') return { said: known, doubt: undefined };
  let old = doubt;
  const said = resolutionOf(known.tree, (bound) => {
    const last = addrOf(bound);
    if (last?.good !== undefined) old ??= last.doubt;
    return believed(last);
  });
  return { said, doubt: old };
};

/** What is new is told once; what is in doubt is told as it is, and then that it failed. */
const tell = (told: Told, { said, doubt }: Reckoned): Told => {
  if (!isGood(said)) return { ...told, doubt: said.t, news: told.doubt === said.t ? [] : [said] };
  const isNews = !isSame(told.good, said) || (told.doubt !== undefined && doubt === undefined);
  const news: Resolution[] = isNews ? [said] : [];
  if (doubt !== undefined && (isNews || told.doubt === undefined))
    news.push({ t: 'failed', cause: doubt });
  return { good: said, doubt, news };
};

/** Says again and again that what is known holds, while nothing is in doubt. */
const confirmed = (told$: Observable<Told>, { scheduler }: Env): Observable<Resolution> =>
  told$.pipe(
    map(({ good, doubt }) => good !== undefined && doubt === undefined),
    distinctUntilChanged(),
    switchMap((isSettled) => (isSettled ? interval(CONFIRM_MS, scheduler) : EMPTY)),
    map(() => CONFIRMED),
  );

/**
 * Makes an interpreter of a dtab and what namers know.
 *
 *   dtab     a------------b--      a binds to x, b to y
 *   x        -1---2--x-------      x fails: 2 is kept, and stale
 *   y                      -3
 *   told     p1---2--f-----p3
 *
 * Order: the first word comes at once. Errors: none. Ends: never.
 */
export const makeDtabInterpreter = (
  naming: DtabNaming,
  dtab$: Observable<Dtab>,
  env: Env,
): Interpreter => ({
  resolve: (name) =>
    reckon<BoundName, Bound, KnownAddr, Reckoned>(
      {
        input$: naming.follow(dtab$, name),
        source: naming.addrOf,
        keyOf: ({ id }) => id,
        compute: reckoned,
      },
      env.scheduler,
    ).pipe(
      scan(tell, { news: [] } as Told),
      connect((told$) => merge(told$.pipe(concatMap(({ news }) => news)), confirmed(told$, env))),
    ),
});
