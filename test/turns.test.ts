/** Work in turns, on a scheduler whose turns the test takes itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BehaviorSubject, NEVER, of, type SchedulerLike, Subscription } from 'rxjs';
import { reckon } from '../src/interpreter/reckon.ts';
import { MOST_AT_ONCE, turnsOf } from '../src/interpreter/turns.ts';

/** A scheduler that does what is due at the end of this turn when `turn` is called. */
const makeScheduler = () => {
  let due: (() => void)[] = [];
  const schedule = (task: () => void): Subscription => {
    due.push(task);
    return new Subscription(() => {
      due = due.filter((one) => one !== task);
    });
  };
  return {
    scheduler: { now: () => 0, schedule } as unknown as SchedulerLike,
    turn: (): number => {
      const now = due;
      due = [];
      for (const task of now) task();
      return now.length;
    },
  };
};

test('a change that concerns all is worked off a lot at a time', () => {
  const { scheduler, turn } = makeScheduler();
  const input$ = new BehaviorSubject(0);
  let computed = 0;
  const all = Array.from({ length: 3 * MOST_AT_ONCE }, () =>
    reckon<number, never, never, number>(
      { input$, source: () => NEVER, keyOf: String, compute: (input) => input },
      scheduler,
    ).subscribe(() => {
      computed += 1;
    }),
  );
  computed = 0;
  input$.next(1);
  assert.equal(turn(), 1);
  assert.equal(computed, MOST_AT_ONCE);
  for (const one of all.slice(MOST_AT_ONCE, 2 * MOST_AT_ONCE)) one.unsubscribe();
  while (turn() > 0);
  assert.equal(computed, 2 * MOST_AT_ONCE);
});

test('what changes on the way is as new as can be when its turn comes', () => {
  const { scheduler, turn } = makeScheduler();
  const source$ = new BehaviorSubject('a');
  const told: string[] = [];
  reckon<null, string, string, string>(
    {
      input$: of(null),
      source: () => source$,
      keyOf: String,
      compute: (_, known) => `${known('x')}`,
    },
    scheduler,
  ).subscribe((one) => told.push(one));
  source$.next('b');
  source$.next('c');
  turn();
  assert.deepEqual(told, ['a', 'c']);
});

test('work that throws holds up nobody else, and what adds itself again is no endless turn', () => {
  const { scheduler, turn } = makeScheduler();
  const turns = turnsOf(scheduler);
  let done = 0;
  const again = (): void => {
    done += 1;
    turns.add(again);
  };
  turns.add(() => {
    throw new Error('oops');
  });
  turns.add(again);
  assert.throws(turn, /oops/);
  assert.equal(done, 0);
  turn();
  assert.equal(done, MOST_AT_ONCE);
});
