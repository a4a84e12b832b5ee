/** Properties of `step`, whatever the world does: each one is checked after every event by the model of `Trial`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeState } from '../src/balancer/state.ts';
import { nextDue, step } from '../src/balancer/step.ts';
import type { ClientPolicy } from '../src/config/config.ts';
import type { DialCause } from '../src/event.ts';
import { endpoint, Trial } from './support/balancer.ts';

/** Something that the world does; `pick` chooses among what is there at that time. */
type Deed =
  | { readonly t: 'arrive'; readonly waitMs: number }
  | { readonly t: 'depart' | 'connect' | 'connectLate' | 'answer' | 'lose'; readonly pick: number }
  | { readonly t: 'fail'; readonly pick: number; readonly cause: DialCause }
  | { readonly t: 'close'; readonly pick: number; readonly spurned: boolean }
  | { readonly t: 'bind'; readonly set: readonly (readonly [string, number])[] }
  | { readonly t: 'neg' | 'pending' | 'lookupFailed' }
  | { readonly t: 'pass'; readonly ms: number }
  | { readonly t: 'sample'; readonly moved: readonly (readonly [string, number])[] }
  | { readonly t: 'configure'; readonly policy: Partial<ClientPolicy> };

const pick = fc.nat(20);

const policy = fc.record({
  loadBalancer: fc.record({
    kind: fc.constant('p2c' as const),
    load: fc.constantFrom('connections', 'connections', 'throughput', 'latency'),
  }),
  maxWaiters: fc.constantFrom(1, 3, 1000),
  minConnections: fc.constantFrom(0, 0, 1, 4),
  emptyWaitMs: fc.constantFrom(0, 100, 1000),
  failFast: fc.record({
    maxConsecutiveFailures: fc.constantFrom(1, 2, 5),
    failurePenaltySecs: fc.constantFrom(1, 60),
  }),
  requeueBudget: fc.record({
    minRetriesPerSec: fc.constantFrom(0, 10),
    percentCanRetry: fc.constantFrom(0, 0.2),
    ttlSecs: fc.constantFrom(1, 10),
  }),
  spareIdleMs: fc.constantFrom(500, Number.POSITIVE_INFINITY),
});

const weighted = fc.tuple(
  fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F'),
  fc.constantFrom(0, 0.1, 1, 1, 1, 10),
);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      t: fc.constant('arrive'),
      waitMs: fc.constantFrom(0, 1, 50, 1000, 10_000, Number.POSITIVE_INFINITY),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      t: fc.constantFrom(
        'depart',
        'connect',
        'connect',
        'connect',
        'connectLate',
        'answer',
        'answer',
        'lose',
      ),
      pick,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      t: fc.constant('fail'),
      pick,
      cause: fc.constantFrom('refused', 'refused', 'timeout', 'other', 'local'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ t: fc.constant('close'), pick, spurned: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ t: fc.constant('bind'), set: fc.array(weighted, { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constantFrom('neg', 'pending', 'lookupFailed') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      t: fc.constant('pass'),
      ms: fc.constantFrom(0, 1, 10, 100, 1000, 10_000, 120_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('configure'), policy }) },
  {
    weight: 1,
    arbitrary: fc.record({
      t: fc.constant('sample'),
      moved: fc.array(fc.tuple(fc.constantFrom('A', 'B', 'gone'), fc.nat(1e9)), { maxLength: 3 }),
    }),
  },
);

const one = <K>(keys: Iterable<K>, pick: number): K | undefined => {
  const all = [...keys];
  return all[pick % Math.max(1, all.length)];
};

const bind = (trial: Trial, set: readonly (readonly [string, number])[]): void => {
  const weights = new Map(set);
  const endpoints = [...weights].map(([name, weight]) => endpoint(`${name}*${weight}`));
  trial.resolve({ t: 'bound', endpoints });
};

/** Does a deed to one of those there, if there is any. */
const doTo = <K>(keys: Iterable<K>, pick: number, doIt: (key: K) => unknown): void => {
  const key = one(keys, pick);
  if (key !== undefined) doIt(key);
};

const connectLate = (trial: Trial, dial: number): void => {
  trial.aborted.delete(dial);
  const told = trial.connected(dial);
  assert.ok(told.includes(`close ${dial}`));
};

const perform = (trial: Trial, deed: Deed, nth: number): void => {
  switch (deed.t) {
    case 'arrive':
      trial.arrive(nth, deed.waitMs);
      break;
    case 'depart':
      doTo(trial.waiting.keys(), deed.pick, (conn) => trial.depart(conn));
      break;
    case 'connect':
      doTo(trial.dialing.keys(), deed.pick, (dial) => trial.connected(dial));
      break;
    case 'connectLate':
      doTo(trial.aborted, deed.pick, (dial) => connectLate(trial, dial));
      break;
    case 'fail':
      doTo(trial.dialing.keys(), deed.pick, (dial) => trial.fail(dial, deed.cause));
      break;
    case 'answer':
      doTo(trial.streams.keys(), deed.pick, (dial) => trial.answer(dial));
      break;
    case 'close':
      doTo(trial.streams.keys(), deed.pick, (dial) => trial.close(dial, deed.spurned));
      break;
    case 'lose':
      doTo(trial.spares.keys(), deed.pick, (dial) => trial.lose(dial));
      break;
    case 'bind':
      bind(trial, deed.set);
      break;
    case 'neg':
    case 'pending':
      trial.resolve({ t: deed.t });
      break;
    case 'lookupFailed':
      trial.resolve({ t: 'failed', cause: 'no route' });
      break;
    case 'pass':
      trial.pass(deed.ms);
      break;
    case 'sample':
      trial.take({ t: 'sampled', moved: new Map(deed.moved) });
      break;
    case 'configure':
      trial.configure(deed.policy);
  }
};

/** Everybody leaves, and the name is let go. */
const finish = (trial: Trial): void => {
  for (const conn of [...trial.waiting.keys()]) trial.depart(conn);
  for (const dial of [...trial.streams.keys()]) trial.close(dial);
  trial.take({ t: 'released' });
  trial.pass(1000);
};

const play = (given: Partial<ClientPolicy>, seed: number, deeds: readonly Deed[]): Trial => {
  const trial = new Trial(given, seed);
  for (const [nth, next] of deeds.entries()) perform(trial, next, nth);
  return trial;
};

const worlds = fc.tuple(
  policy,
  fc.double({ min: 0, max: 0.999, noNaN: true }),
  fc.array(deed, { maxLength: 60, size: 'max' }),
);

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
      const again = makeState({ ...state.policy, ...given }, seed);
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
