/** Shares that endpoints get under weighted power of two choices, pool by pool, with fixed seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endDial, startDial } from '../src/balancer/dials.ts';
import { Lottery } from '../src/balancer/lottery.ts';
import { makeDice, roll } from '../src/balancer/random.ts';
import { choose } from '../src/balancer/select.ts';
import { type Dial, type Endpoint, makeState, type State } from '../src/balancer/state.ts';
import { step } from '../src/balancer/step.ts';
import type { Turn } from '../src/balancer/turn.ts';
import { endpoint, POLICY } from './support/balancer.ts';

type Weights = readonly number[];

/** `count` endpoints of weight 1, but for those that are given first. */
const pool = (count: number, ...first: readonly number[]): Weights => [
  ...first,
  ...Array.from({ length: count - first.length }, () => 1),
];

test('draws follow the weights while these change at random, with one left out or not', () => {
  const slot = fc.nat(12);
  const weight = fc.constantFrom(0, 0, 0.1, 1, 1.5, 1.9, 3, 1000);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(slot, weight), { maxLength: 60 }),
      fc.option(slot),
      (sets, except) => {
        const lots = new Lottery();
        const model = new Map<number, number>();
        for (const [at, value] of sets) {
          lots.set(at, value);
          model.set(at, value);
        }
        const total = [...model.values()].reduce((sum, value) => sum + value, 0);
        assert.ok(Math.abs(lots.total - total) <= 1e-9 * total);
        const left = [...model].filter(([at, value]) => value > 0 && at !== except);
        const dice = makeDice(0.1);
        const seen = new Set<number | undefined>();
        for (let i = 0; i < 50; i++) seen.add(lots.draw(roll(dice), dice, except ?? undefined));
        for (const share of [0, 1 - Number.EPSILON / 2])
          seen.add(lots.draw(share, dice, except ?? undefined));
        if (left.length === 0) assert.deepEqual([...seen], [undefined]);
        else
          for (const at of seen)
            assert.ok(
              left.some(([other]) => other === at),
              `drew ${at}`,
            );
      },
    ),
    { numRuns: 500 },
  );
});

test('weights of one power of two are told apart too', () => {
  const lots = new Lottery();
  const weights = [1, 1.25, 1.5, 1.75];
  for (const [at, weight] of weights.entries()) lots.set(at, weight);
  const dice = makeDice(0.1);
  const taken = [0, 0, 0, 0];
  for (let i = 0; i < 200_000; i++) {
    const at = lots.draw(roll(dice), dice) ?? 0;
    taken[at] = (taken[at] ?? 0) + 1;
  }
  for (const [at, weight] of weights.entries()) {
    const share = ((taken[at] ?? 0) * 5.5) / (200_000 * weight);
    assert.ok(Math.abs(share - 1) < 0.03, `${share} of ${weight}`);
  }
});

const mixed = (count: number): Weights =>
  Array.from({ length: count }, (_, i) => [1, 0.5, 2, 4, 0.25][i % 5] ?? 1);

const start = (weights: Weights, seed: number): State => {
  const state = makeState(POLICY, seed);
  const endpoints = weights.map((weight, i) => endpoint(`E${i}*${weight}`));
  step(state, { t: 'resolved', at: 0, resolution: { t: 'bound', endpoints } });
  return state;
};

/** Closes what `dial` opened, and opens one at `chosen`. */
const swap = (turn: Turn, closing: Dial | undefined, chosen: Endpoint): Dial => {
  turn.out.length = 0;
  if (closing !== undefined) endDial(turn, closing);
  return startDial(turn, chosen);
};

interface Run {
  readonly weights: Weights;
  /** Connections per endpoint that are open at any time. */
  readonly openEach: number;
  readonly decisions: number;
  /** Which one closes as another opens. */
  readonly closes: 'oldest' | 'any';
}

/** The shares that endpoints get, each over its ideal. */
const shares = ({ weights, openEach, decisions, closes }: Run): readonly number[] => {
  const s = start(weights, 0.3);
  const turn: Turn = { s, at: 0, out: [] };
  const dice = makeDice(0.7);
  const taken = new Float64Array(weights.length);
  const most = openEach * weights.length;
  const open: Dial[] = [];
  const warmUp = Math.min(decisions, 10 * most);
  for (let i = -warmUp; i < decisions; i++) {
    const chosen = choose(s, s.live);
    assert.ok(chosen !== undefined);
    if (i >= 0) taken[chosen.index] = (taken[chosen.index] ?? 0) + 1;
    if (most === 0) continue;
    const place = closes === 'any' ? Math.floor(roll(dice) * most) : (i + warmUp) % most;
    const at = open.length < most ? open.length : place;
    open[at] = swap(turn, open[at], chosen);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, i) => ((taken[i] ?? 0) * total) / (decisions * weight));
};

/** How far any endpoint is from its ideal share. */
const deviation = (run: Run): number =>
  Math.max(...shares(run).map((share) => Math.abs(share - 1)));

const POOLS: Readonly<Record<string, Weights>> = {
  '2 equal': pool(2),
  '2, one ×10': pool(2, 10),
  '2, one ×0.1': pool(2, 0.1),
  '3, one ×10': pool(3, 10),
  '5 mixed': mixed(5),
  '10, one ×10, one ×0.1': pool(10, 10, 0.1),
  '50, one ×0.1': pool(50, 0.1),
  '100 equal': pool(100),
  '100 mixed': mixed(100),
};

/** Connections open per endpoint, how far a share may be from its ideal then, and the decisions that show it. */
const LIMITS = [
  { openEach: 0, limit: 0.03, decisions: 1_000_000 },
  { openEach: 1, limit: 0.2, decisions: 500_000 },
  { openEach: 3, limit: 0.1, decisions: 500_000 },
  { openEach: 10, limit: 0.06, decisions: 500_000 },
  { openEach: 100, limit: 0.03, decisions: 1_000_000 },
] as const;

for (const [name, weights] of Object.entries(POOLS)) {
  test(`shares follow the weights in a pool of ${name}`, () => {
    for (const { openEach, limit, decisions } of LIMITS) {
      const off = deviation({ weights, openEach, decisions, closes: 'oldest' });
      assert.ok(off < limit, `${off} off with ${openEach} open per endpoint`);
    }
  });
}

test('shares follow the weights too where connections close at random', () => {
  for (const weights of [pool(2, 10), mixed(5)]) {
    for (const { openEach, limit } of LIMITS) {
      const off = deviation({ weights, openEach, decisions: 250_000, closes: 'any' });
      assert.ok(off < limit, `${off} off with ${openEach} open per endpoint`);
    }
  }
});

test('of equal endpoints none gets twice its share, few decisions or many', () => {
  for (const openEach of [0, 1, 3]) {
    const all = shares({ weights: pool(10), openEach, decisions: 1000, closes: 'any' });
    assert.ok(Math.max(...all) < 2, `${all}`);
  }
});

test('one connection after the other takes turns', () => {
  const s = start(pool(2), 0.3);
  const taken = Array.from({ length: 30 }, () => choose(s, s.live)?.address.text);
  const first = taken.filter((name) => name === 'E0').length;
  assert.ok(first >= 14 && first <= 16, `${first} of 30`);
});

test('while one of two equal endpoints holds connections, all new ones go to the other', () => {
  const s = start(pool(2), 0.3);
  const turn: Turn = { s, at: 0, out: [] };
  const [busy] = s.byIndex;
  assert.ok(busy !== undefined);
  for (let i = 0; i < 200; i++) startDial(turn, busy);
  for (let i = 0; i < 199; i++) {
    const chosen = choose(s, s.live);
    assert.ok(chosen !== undefined && chosen !== busy, `the ${i}th`);
    startDial(turn, chosen);
  }
});

test('an endpoint of weight 0 is never chosen', () => {
  const s = start([0, 1, 0, 10, 0], 0.3);
  const turn: Turn = { s, at: 0, out: [] };
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const chosen = choose(s, s.live);
    if (chosen === undefined) break;
    seen.add(chosen.address.text);
    startDial(turn, chosen);
  }
  assert.deepEqual([...seen].sort(), ['E1', 'E3']);
});
