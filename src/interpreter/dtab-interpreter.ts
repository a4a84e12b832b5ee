/** The interpreter `default`: names by the router’s own dtab and namers. */
import {
  concatMap,
  connect,
  defer,
  distinctUntilChanged,
  EMPTY,
  interval,
  map,
  merge,
  type Observable,
  scan,
  switchMap,
  tap,
} from 'rxjs';
import type { Dtab } from '../dtab/dtab.ts';
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import type { BoundName, DtabNaming, KnownAddr } from './dtab-naming.ts';
import type { Interpreter, Resolution, Said } from './interpreter.ts';
import { makeJournal } from './journal.ts';
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
  readonly doubt?: string | undefined;
  /** When parts of it were heard last; none: it has no time. */
  readonly times: readonly number[];
}

type Good = Extract<Said, { t: 'bound' | 'neg' }>;

/** What was told, and what is to be told now. */
interface Told {
  readonly good?: Good | undefined;
  readonly doubt?: string | undefined;
  /** When the newest part of it was heard, at the time of the last word. */
  readonly heardAt?: number | undefined;
  readonly news: readonly Resolution[];
}

const isGood = (said: Said): said is Good => said.t === 'bound' || said.t === 'neg';

const reckoned = (
  { known, doubt, at }: BoundName,
  addrOf: (bound: Bound) => KnownAddr | undefined,
): Reckoned => {
  if (known.t !== 'ok') return { said: known, times: [] };
  let old = doubt;
  const times = at === undefined ? [] : [at];
  const said = resolutionOf(known.tree, (bound) => {
    const last = addrOf(bound);
    if (last?.good !== undefined) {
      old ??= last.doubt;
      if (last.at !== undefined) times.push(last.at);
    }
    return believed(last);
  });
  return { said, doubt: old, times };
};

/** Whether all of it was heard again since the last word. */
const isHeardAgain = ({ heardAt = 0 }: Told, { doubt, times }: Reckoned): boolean =>
  doubt === undefined && times.length > 0 && Math.min(...times) > heardAt;

/** What is new is told once, what is heard again is confirmed; what is in doubt is told as it is, and then that it failed. */
const tell = (told: Told, now: Reckoned): Told => {
  const { said, doubt, times } = now;
  if (!isGood(said)) return { ...told, doubt: said.t, news: told.doubt === said.t ? [] : [said] };
  const isNews = !isSame(told.good, said) || (told.doubt !== undefined && doubt === undefined);
  const news: Resolution[] = isNews ? [said] : isHeardAgain(told, now) ? [CONFIRMED] : [];
  if (doubt !== undefined && (isNews || told.doubt === undefined))
    news.push({ t: 'failed', cause: doubt });
  const heardAt = news.length > 0 ? Math.max(...times) : told.heardAt;
  return { good: said, doubt, heardAt, news };
};

/** What a name and the addresses that it leads to come to, step by step. */
const toldOf = (
  name$: Observable<BoundName>,
  addrOf: (bound: Bound) => Observable<KnownAddr>,
  { scheduler }: Env,
): Observable<Told> =>
  reckon<BoundName, Bound, KnownAddr, Reckoned>(
    { input$: name$, source: addrOf, keyOf: ({ id }) => id, compute: reckoned },
    scheduler,
  ).pipe(scan(tell, { news: [] }));

const newsOf = concatMap(({ news }: Told) => news);

/** What a name that is bound elsewhere comes to. What has a time is confirmed when all of it was heard again. */
export const combined = (
  name$: Observable<BoundName>,
  addrOf: (bound: Bound) => Observable<KnownAddr>,
  env: Env,
): Observable<Resolution> => toldOf(name$, addrOf, env).pipe(newsOf);

/** Says again and again that what is known holds, while nothing is in doubt. */
const confirmed = (told$: Observable<Told>, { scheduler }: Env): Observable<Resolution> =>
  told$.pipe(
    map(({ good, doubt }) => good !== undefined && doubt === undefined),
    distinctUntilChanged(),
    switchMap((isSettled) => (isSettled ? interval(CONFIRM_MS, scheduler) : EMPTY)),
    map(() => CONFIRMED),
  );

/** Has the log know of rules that lead nowhere; what namers fail at they tell themselves. */
const logged = (name$: Observable<BoundName>, dst: Path, env: Env): Observable<BoundName> =>
  defer(() => {
    const journal = makeJournal({ dst }, env);
    return name$.pipe(
      tap(({ known, isAstray }) => {
        if (known.t === 'failed' && isAstray === true) journal({ news: known });
        else if (known.t === 'ok') journal({ news: { t: 'bound' } });
      }),
    );
  });

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
    toldOf(logged(naming.follow(dtab$, name), name, env), naming.addrOf, env).pipe(
      connect((told$) => merge(told$.pipe(newsOf), confirmed(told$, env))),
    ),
});
