/** Properties of `step`, whatever the world does: each one is checked after every event by the model of `Trial`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeState } from '../src/balancer/state.ts';
import { nextDue, step } from '../src/balancer/step.ts';
import { Trial } from './support/balancer.ts';
import { bind, own, play, worlds } from './support/worlds.ts';

/** Everybody leaves, and the name is let go. */
const finish = (trial: Trial): void => {
  for (const conn of [...trial.waiting.keys()]) trial.depart(conn);
  for (const dial of [...trial.streams.keys()]) trial.close(dial);
  trial.take({ t: 'released' });
  trial.pass(1000);
};

test('whatever happens, each is answered once and every count is right, and nothing is left at the end', () => {
  fc.assert(
    fc.property(worlds, ([given, seed, deeds]) => {
      const trial = play(given, seed, deeds);
      finish(trial);
      const { state } = trial;
      assert.deepEqual(
        [state.waiters.size, state.dials.size, state.spares.size, state.parked.size],
        [0, 0, 0, 0],
      );
      assert.equal(state.endpoints.size, trial.weights.size);
      assert.equal(trial.waiting.size, 0);
      trial.resolve({ t: 'neg' });
      assert.equal(state.endpoints.size, 0);
      assert.deepEqual([state.live.total, state.aside.total], [0, 0]);
      trial.pass(60_000);
      assert.equal(nextDue(state), undefined);
    }),
    { numRuns: 1500 },
  );
});

test('the same events and the same seed give the same commands', () => {
  fc.assert(
    fc.property(worlds, ([given, seed, deeds]) => {
      const { events, commands, state } = play(given, seed, deeds);
      const again = makeState({ ...state.policy, ...given }, seed, own);
      assert.deepEqual(
        events.flatMap((event) => step(again, event)),
        commands,
      );
    }),
    { numRuns: 200 },
  );
});

/** Where nobody stays away for good, nobody is left waiting: all who cannot be served are told so. */
test('whoever waits is answered by the deadline, wherever it stands in line', () => {
  fc.assert(
    fc.property(worlds, ([given, seed, deeds]) => {
      const trial = play(given, seed, deeds);
      trial.pass(10_000);
      for (const deadline of trial.waiting.values())
        assert.equal(deadline, Number.POSITIVE_INFINITY);
    }),
    { numRuns: 300 },
  );
});

test('with a set that offers nothing nobody waits longer than emptyWaitMs', () => {
  fc.assert(
    fc.property(worlds, fc.boolean(), ([given, seed, deeds], isEmpty) => {
      const trial = play({ ...given, emptyWaitMs: 1000 }, seed, deeds);
      trial.configure({ emptyWaitMs: 1000 });
      bind(
        trial,
        isEmpty
          ? []
          : [
              ['A', 0],
              ['B', 0],
            ],
      );
      trial.pass(1000);
      // A dial on its way is let be: only its endpoint’s next connections are turned away.
      assert.equal(
        trial.waiting.size,
        [...trial.dialing.values()].filter(({ conn }) => conn !== undefined).length,
      );
    }),
    { numRuns: 300 },
  );
});

const PENALTY = { maxConsecutiveFailures: 5, failurePenaltySecs: 60 };

/** Connects in a minute while every dial fails at once, `perSec` connections come and all have patience. */
const storm = (perSec: number, endpoints: readonly string[]): number => {
  const trial = new Trial({ emptyWaitMs: 1e9, failFast: PENALTY, minConnections: 3 });
  bind(
    trial,
    endpoints.map((name) => [name, 1]),
  );
  let conn = 0;
  for (let ms = 0; ms < 60_000; ms += 10) {
    trial.pass(10);
    for (let i = 0; i < perSec / 100; i++) trial.arrive(conn++, 5000);
    for (
      let dials = [...trial.dialing.keys()];
      dials.length > 0;
      dials = [...trial.dialing.keys()]
    ) {
      for (const dial of dials) trial.fail(dial);
    }
  }
  return trial.commands.filter(({ t }) => t === 'connect').length;
};

test('while every dial fails at once, dials stay few', () => {
  // One at most each second once the pace is slow; the first seconds are quicker, and one probe each ends a penalty.
  for (const names of [['A'], ['A', 'B', 'C']]) {
    const connects = storm(100, names);
    assert.ok(connects < 200, `${connects} connects in a minute`);
  }
});
