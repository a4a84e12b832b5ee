/** Many deadlines on one timer of the scheduler, in virtual time. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { LONGEST_MS, makeTimers, type Timer } from '../src/timers.ts';

const timing = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body));
};

timing('each deadline fires once, at its time, in the order they fall due', (m) => {
  const timers = makeTimers(m.env.scheduler);
  const fired: string[] = [];
  for (const ms of [30, 10, 20, 0]) timers.after(ms, () => fired.push(`${ms}@${timers.now()}`));
  assert.deepEqual(fired, []);
  m.flush();
  assert.deepEqual(fired, ['0@0', '10@10', '20@20', '30@30']);
  assert.equal(timers.size(), 0);
});

timing('a deadline that is dropped never fires', (m) => {
  const timers = makeTimers(m.env.scheduler);
  const fired: number[] = [];
  const first = timers.after(10, () => fired.push(10));
  timers.after(20, () => fired.push(20));
  first.drop();
  first.drop();
  assert.equal(timers.size(), 1);
  m.flush();
  first.drop();
  assert.deepEqual(fired, [20]);
});

timing('never means never', (m) => {
  const timers = makeTimers(m.env.scheduler);
  for (const ms of [Number.POSITIVE_INFINITY, Number.NaN])
    timers.after(ms, () => assert.fail()).drop();
  assert.equal(timers.size(), 0);
});

timing('years pass in pieces that a timer can hold', (m) => {
  const schedule = mock.method(m.env.scheduler, 'schedule');
  const timers = makeTimers(m.env.scheduler);
  const years = 3 * LONGEST_MS + 7;
  let at = 0;
  timers.after(years, () => {
    at = timers.now();
  });
  m.flush();
  assert.equal(at, years);
  const waits = schedule.mock.calls.map(({ arguments: [, wait = 0] }) => wait);
  assert.deepEqual(waits, [LONGEST_MS, LONGEST_MS, LONGEST_MS, 7]);
});

timing('a fraction of a millisecond is never too early', (m) => {
  const timers = makeTimers(m.env.scheduler);
  let at = 0;
  timers.after(10.2, () => {
    at = timers.now();
  });
  m.flush();
  assert.equal(at, 11);
});

timing('a task that sets the next one for at once does not hold the loop', (m) => {
  const timers = makeTimers(m.env.scheduler);
  let rounds = 0;
  let other = 0;
  const again = (): void => {
    if (++rounds < 100) timers.after(0, again);
  };
  timers.after(0, again);
  m.env.scheduler.schedule(() => {
    other = rounds;
  }, 0);
  m.flush();
  assert.equal(rounds, 100);
  assert.ok(other < 100, 'the other had its turn in between');
});

timing('any number of deadlines costs one timer of the scheduler at a time', (m) => {
  const schedule = mock.method(m.env.scheduler, 'schedule');
  const timers = makeTimers(m.env.scheduler);
  for (let i = 0; i < 1000; i++) timers.after(50, () => undefined).drop();
  for (let i = 0; i < 1000; i++) timers.after(50 + i / 1000, () => undefined);
  assert.equal(schedule.mock.callCount(), 1);
  m.flush();
  assert.equal(timers.size(), 0);
});

test('whatever is set and dropped, the others fire at their time', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 40 }), (wishes) =>
      marbles((m) => {
        const timers = makeTimers(m.env.scheduler);
        const late: number[] = [];
        const set: Timer[] = wishes.map(([ms]) =>
          timers.after(ms, () => late.push(timers.now() - ms)),
        );
        for (const [i, [, isDropped]] of wishes.entries()) if (isDropped) set[i]?.drop();
        m.flush();
        assert.deepEqual(
          late,
          wishes.filter(([, isDropped]) => !isDropped).map(() => 0),
        );
      }),
    ),
    { numRuns: 100 },
  );
});
