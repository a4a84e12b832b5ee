/**
 * Workers that come and go, and the names that they share.
 *
 *   run     a worker: it ends where its diagram does
 *   told    0 1  a worker of that slot has ended and will be begun again
 *   words   a A  watch /svc/a, and let it go · b B  the same of /svc/b
 *   names   1 2  bound to one endpoint, to two · n  neg
 */
import { test } from 'node:test';
import {
  defer,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  Subject,
  tap,
  timer,
} from 'rxjs';
import type { Resolution } from '../src/interpreter/interpreter.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import type { MarbleOptions } from '../src/testing/virtual-env.ts';
import { Lookups } from '../src/workers/lookups.ts';
import type { Order, Word } from '../src/workers/protocol.ts';
import { STEADY_MS, supervise } from '../src/workers/supervise.ts';
import { bound } from '../test/support/balancer.ts';

type Cold = ReturnType<Marbles['cold']>;

/** Supervises slots that run the given diagrams; emits the slots as they are to be begun again. */
const kept = (
  { env }: Marbles,
  runs: readonly Cold[],
  stop$: Observable<unknown> = NEVER,
): Observable<string> => {
  const told$ = new Subject<string>();
  const run = (slot: number) => runs[slot]?.pipe(ignoreElements()) ?? NEVER;
  const ended = (slot: number): void => told$.next(String(slot));
  const kept$ = supervise({ workers: runs.length, run, stop$, ended }, env);
  return merge(told$, kept$.pipe(tap({ complete: () => told$.complete() })));
};

/** Emits at a time, and at once to who comes later. */
const stopAt = (ms: number, { env: { scheduler } }: Marbles): Observable<unknown> =>
  defer(() => (scheduler.now() >= ms ? of('stop') : timer(ms - scheduler.now(), scheduler)));

const told = (title: string, body: (m: Marbles) => void, chance?: MarbleOptions): void => {
  test(title, () => marbles(body, chance));
};

/** A worker of slot 0 ends, and after each of these waits, in ms, again. */
const endings = (...waits: readonly number[]): string =>
  ['0', ...waits.map((ms) => `${ms - 1}ms 0`)].join(' ');

told('a worker that ends is begun again, later each time, and the others go on', (m) => {
  const one = m.cold('--|');
  const two = m.cold('---');
  m.expect(kept(m, [one, two]), '^ 800ms !').toBe('--0 101ms 0 201ms 0 401ms 0');
  m.subs(one).toBe(['^-!', '102ms ^-!', '304ms ^-!', '706ms ^-!']);
  m.subs(two).toBe('^ 800ms !');
});

told('it is begun again every 30 s in the end', (m) => {
  const waits = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000];
  m.expect(kept(m, [m.cold('|')]), '^ 142s !').toBe(endings(...waits));
});

told(
  'each wait is half as long to half as long again, so that workers do not end together for ever',
  (m) => {
    m.expect(kept(m, [m.cold('|')]), '^ 800ms !').toBe(endings(50, 300, 400));
  },
  { random: [0, 0.999, 0.5, 0.5] },
);

told('one that ran for a minute begins again as if it were its first time', (m) => {
  const steady = m.cold(`${STEADY_MS}ms |`);
  m.expect(kept(m, [steady]), `^ ${2 * STEADY_MS + 201}ms !`).toBe(
    `${STEADY_MS}ms 0 ${STEADY_MS + 99}ms 0`,
  );
  m.subs(steady).toBe([
    `^ ${STEADY_MS - 1}ms !`,
    `${STEADY_MS + 100}ms ^ ${STEADY_MS - 1}ms !`,
    `${2 * STEADY_MS + 200}ms ^-!`,
  ]);
});

told('one that ran for less does not', (m) => {
  const early = m.cold(`${STEADY_MS - 1}ms |`);
  m.subs(early).toBe([
    `^ ${STEADY_MS - 2}ms !`,
    `${STEADY_MS + 99}ms ^ ${STEADY_MS - 2}ms !`,
    `${2 * STEADY_MS + 298}ms ^-!`,
  ]);
  m.expect(kept(m, [early]), `^ ${2 * STEADY_MS + 299}ms !`).toBe(
    `${STEADY_MS - 1}ms 0 ${STEADY_MS + 98}ms 0`,
  );
});

told('after the stop nobody is begun again, and with the last worker it is over', (m) => {
  const one = m.cold('-----|');
  const two = m.cold('--------|');
  m.expect(kept(m, [one, two], stopAt(3, m))).toBe('--------|');
  m.subs(one).toBe('^----!');
  m.subs(two).toBe('^-------!');
});

told('a stop ends the wait for the next begin', (m) => {
  const one = m.cold('--|');
  m.expect(kept(m, [one], stopAt(50, m))).toBe('--0 47ms |');
  m.subs(one).toBe('^-!');
});

const NAMES: Readonly<Record<string, Resolution>> = {
  1: bound('10.0.0.1:1'),
  2: bound('10.0.0.1:1', '10.0.0.2:1'),
  n: { t: 'neg' },
};

const word = (letter: string): Word => ({
  t: letter === letter.toLowerCase() ? 'watch' : 'unwatch',
  rt: 'main',
  dst: `/svc/${letter.toLowerCase()}` as Path,
});

const WORDS = { a: word('a'), A: word('A'), b: word('b'), B: word('B') };

const letterOf = ({ resolution }: Extract<Order, { t: 'resolved' }>): string =>
  resolution.t === 'bound' ? String(resolution.endpoints.length) : 'n';

/** Look-ups of `/svc/a` and `/svc/b` that tell these diagrams. */
const lookingUp = (names: { readonly a: Cold; readonly b?: Cold }) => {
  const sources: Readonly<Record<string, Observable<unknown>>> = {
    '/svc/a': names.a,
    '/svc/b': names.b ?? NEVER,
  };
  const resolve = (dst: Path) => sources[dst] as Observable<Resolution>;
  const lookups = new Lookups(() => of({ resolve }));
  return (words$: Observable<unknown>) =>
    lookups.serve(words$ as Observable<Word>).pipe(map(letterOf));
};

told('a name is looked up once, however many workers hold it, and as long as one does', (m) => {
  const a = m.cold('         -1--2---', NAMES);
  const serve = lookingUp({ a });
  m.expect(serve(m.hot('     a----A---', WORDS))).toBe('-1--2----');
  m.expect(serve(m.hot('     --a----A-', WORDS))).toBe('--1-2----');
  m.subs(a).toBe('           ^------!');
});

told('a name that all have let go is looked up anew', (m) => {
  const a = m.cold('       -1------', NAMES);
  const serve = lookingUp({ a });
  m.expect(serve(m.hot('   a--A--a-', WORDS))).toBe('-1-----1');
  m.subs(a).toBe(['        ^--!', '------^-']);
});

told('each worker is told of its own names only', (m) => {
  const [a, b] = [m.cold('-1--2', NAMES), m.cold('--n--', NAMES)];
  const serve = lookingUp({ a, b });
  m.expect(serve(m.hot('   a-----', WORDS))).toBe('-1--2-');
  m.expect(serve(m.hot('   -b----', WORDS))).toBe('---n--');
});

told('a worker that is gone lets its names go', (m) => {
  const a = m.cold('       -1--2---', NAMES);
  const serve = lookingUp({ a });
  m.expect(serve(m.hot('   a-------', WORDS)), '^--!').toBe('-1');
  m.subs(a).toBe('         ^--!');
});
