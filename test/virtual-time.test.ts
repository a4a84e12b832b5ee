/** Virtual time of our own and RxJS’s TestScheduler: the same programs, the same events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  auditTime,
  bufferTime,
  concat,
  debounceTime,
  delay,
  interval,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  type SchedulerLike,
  type Subscription,
  switchMap,
  take,
  takeUntil,
  throttleTime,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { marbles } from '../src/testing/marbles.ts';
import { VirtualTime } from '../src/testing/virtual-time.ts';

type Program = (scheduler: SchedulerLike, tell: (what: string) => void) => void;

const LONG_MS = 10_000;

/** Everything that a program tells, with its times, on both. */
const onBoth = (program: Program): readonly [own: string[], theirs: string[]] => {
  const own: string[] = [];
  const time = new VirtualTime();
  program(time, (what) => own.push(`${time.now()} ${what}`));
  time.flush(LONG_MS);
  const theirs: string[] = [];
  marbles((m) => {
    const { scheduler } = m.env;
    program(scheduler, (what) => theirs.push(`${scheduler.now()} ${what}`));
    m.flush();
  });
  return [own, theirs];
};

const tick = (scheduler: SchedulerLike, ms: number): Observable<number> =>
  interval(ms, scheduler).pipe(take(20));

const PROGRAMS: Readonly<Record<string, (s: SchedulerLike) => Observable<unknown>>> = {
  delay: (s) => tick(s, 3).pipe(delay(10, s)),
  debounceTime: (s) => merge(tick(s, 7), tick(s, 11)).pipe(debounceTime(3, s)),
  auditTime: (s) => tick(s, 2).pipe(auditTime(5, s)),
  throttleTime: (s) => tick(s, 2).pipe(throttleTime(7, s, { leading: true, trailing: true })),
  bufferTime: (s) => tick(s, 2).pipe(bufferTime(9, s), take(6)),
  'switchMap and timers': (s) => tick(s, 5).pipe(switchMap((i) => timer(i, s).pipe(map(() => i)))),
  'mergeMap of timers at one time': (s) =>
    of(1, 2, 3).pipe(mergeMap((i) => timer(5, s).pipe(map(() => i)))),
  'timers at 0': (s) =>
    merge(timer(0, s).pipe(map(() => 'a')), of('b'), timer(0, s).pipe(map(() => 'c'))),
  takeUntil: (s) => tick(s, 4).pipe(takeUntil(timer(20, s))),
  timeout: (s) =>
    concat(timer(3, s), timer(50, s)).pipe(
      timeout({ each: 20, scheduler: s, with: () => of('late') }),
    ),
  'retry with a delay': (s) => {
    let tries = 0;
    return timer(1, s).pipe(
      mergeMap(() => (++tries < 4 ? throwError(() => 'no') : of(tries))),
      retry({ delay: (_, count) => timer(count * 10, s) }),
    );
  },
};

for (const [name, make] of Object.entries(PROGRAMS))
  test(`the same on both: ${name}`, () => {
    const [own, theirs] = onBoth((scheduler, tell) => {
      make(scheduler).subscribe({
        next: (value) => tell(JSON.stringify(value)),
        complete: () => tell('|'),
      });
    });
    assert.deepEqual(own, theirs);
    assert.ok(own.length > 0);
  });

/** A task: what it tells, what it sets when it runs, and whether it takes something back. */
interface Task {
  readonly delay: number;
  readonly sets: readonly Task[];
  readonly drops: number | undefined;
  readonly repeats: number;
}

const MOST_DEPTH = 3;

const taskOf = (depth: number): fc.Arbitrary<Task> =>
  fc.record({
    delay: fc.nat(5),
    sets: depth === 0 ? fc.constant([]) : fc.array(taskOf(depth - 1), { maxLength: 3 }),
    drops: fc.option(fc.nat(10), { nil: undefined }),
    repeats: fc.nat(2),
  });

/** Runs tasks, numbered in the order in which they were set. */
const runAll =
  (tasks: readonly Task[]): Program =>
  (scheduler, tell) => {
    const set: Subscription[] = [];
    const begin = (one: Task): void => {
      const id = set.length;
      let left = one.repeats;
      set.push(
        scheduler.schedule(function again() {
          tell(`${id}`);
          for (const next of one.sets) begin(next);
          if (one.drops !== undefined) set[one.drops]?.unsubscribe();
          if (left-- > 0) this.schedule(undefined, one.delay);
        }, one.delay),
      );
    };
    for (const one of tasks) begin(one);
  };

test('whatever is set, repeated and taken back runs in the same order on both', () => {
  fc.assert(
    fc.property(fc.array(taskOf(MOST_DEPTH), { maxLength: 5 }), (tasks) => {
      const [own, theirs] = onBoth(runAll(tasks));
      assert.deepEqual(own, theirs);
    }),
    { numRuns: 300 },
  );
});

test('the clock stops where it is told to, and goes on from there', () => {
  const time = new VirtualTime();
  const told: number[] = [];
  for (const ms of [5, 10, 15]) time.schedule(() => told.push(time.now()), ms);
  time.flush(10);
  assert.deepEqual([told, time.now()], [[5, 10], 10]);
  time.flush(Number.POSITIVE_INFINITY);
  assert.deepEqual([told, time.now(), time.ran], [[5, 10, 15], 15, 3]);
});
