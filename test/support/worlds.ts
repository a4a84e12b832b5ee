/** Random worlds for a balancer: whatever may happen to one name. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Candidate, MakeLoadBalancer } from '../../src/balancer/load-balancer.ts';
import type { ClientPolicy } from '../../src/config/config.ts';
import type { DialCause } from '../../src/event.ts';
import { endpoint, OWN, Trial } from './balancer.ts';

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
  loadBalancer: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('p2c' as const),
        load: fc.constantFrom('connections', 'connections', 'throughput', 'latency'),
      }),
    },
    { weight: 1, arbitrary: fc.constant(OWN.loadBalancer) },
  ),
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

/** Binds the name to a set of letters and weights. */
export const bind = (trial: Trial, set: readonly (readonly [string, number])[]): void => {
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

/** A load balancer that does all that one may: looks at everybody, draws, rolls, leaves it to others, and chooses whom it must not. */
export const own: MakeLoadBalancer = () => {
  let former: Candidate | undefined;
  return (pool) => {
    const { candidates, turn } = pool;
    const choices = [
      candidates[turn % candidates.length],
      pool.draw(candidates[0]),
      candidates[Math.floor(pool.random() * candidates.length)],
      undefined,
      former,
    ];
    former = candidates.at(-1);
    return choices[turn % choices.length];
  };
};

/** Plays deeds on a balancer, checked by its model after each. */
export const play = (given: Partial<ClientPolicy>, seed: number, deeds: readonly Deed[]): Trial => {
  const trial = new Trial(given, seed, own);
  for (const [nth, next] of deeds.entries()) perform(trial, next, nth);
  return trial;
};

/** A policy, a seed, and what happens. */
export const worlds = fc.tuple(
  policy,
  fc.double({ min: 0, max: 0.999, noNaN: true }),
  fc.array(deed, { maxLength: 60, size: 'max' }),
);
