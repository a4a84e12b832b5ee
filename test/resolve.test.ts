/** Large sets change a slice at a time; small ones at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Command } from '../src/balancer/messages.ts';
import { SLICE } from '../src/balancer/resolve.ts';
import { load, makeState, type State } from '../src/balancer/state.ts';
import { nextDue, step } from '../src/balancer/step.ts';
import { endpoint, POLICY } from './support/balancer.ts';

const SEED = 0.3;

/** The numbers from `from` up to `to`, as letters of endpoints. */
const range = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => `${from + i}`);

const resolved = (s: State, at: number, letters: readonly string[]): readonly Command[] =>
  step(s, {
    t: 'resolved',
    at,
    resolution: { t: 'bound', endpoints: letters.map(endpoint) },
  });

/** Ticks until no slice is left; says how many it took, and checks that each was worth its while. */
const settle = (s: State, eachTime: () => void = () => undefined): number => {
  let slices = 0;
  for (let due = nextDue(s); s.reform !== undefined && due !== undefined; due = nextDue(s)) {
    step(s, { t: 'ticked', at: due });
    slices += 1;
    eachTime();
  }
  return slices;
};

const namesIn = (s: State): readonly string[] =>
  [...s.endpoints.values()]
    .filter(({ state }) => state !== 'retired')
    .map(({ address }) => address.text)
    .sort();

const countIn = (s: State): number => namesIn(s).length;

test('a set of one slice is in force with its event', () => {
  const s = makeState(POLICY, SEED);
  resolved(s, 0, range(0, SLICE - 2));
  assert.equal(s.reform, undefined);
  resolved(s, 1, range(SLICE, SLICE + 1));
  assert.equal(s.reform, undefined);
  assert.deepEqual(namesIn(s), [`${SLICE}`]);
  assert.equal(nextDue(s), undefined);
});

test('a large set comes in slices, and who is new comes before anybody goes', () => {
  const s = makeState(POLICY, SEED);
  const before = range(0, 3 * SLICE);
  const after = range(2 * SLICE, 5 * SLICE);
  resolved(s, 0, before);
  assert.equal(countIn(s), SLICE);
  settle(s);
  assert.deepEqual(namesIn(s), [...before].sort());

  resolved(s, 100, after);
  let [last, isShrinking] = [countIn(s), false];
  const slices = settle(s, () => {
    const count = countIn(s);
    assert.ok(Math.abs(count - last) <= SLICE, 'more than a slice at one time');
    isShrinking ||= count < last;
    assert.ok(!isShrinking || count <= last, 'somebody came when others had gone already');
    last = count;
  });
  assert.ok(slices >= 4, `${slices} slices`);
  assert.deepEqual(namesIn(s), [...after].sort());
});

test('a connection that comes between two slices is dispatched', () => {
  const s = makeState(POLICY, SEED);
  resolved(s, 0, range(0, 3 * SLICE));
  const [connect] = step(s, { t: 'arrived', at: 0, conn: 1, deadline: 1000 });
  assert.equal(connect?.t, 'connect');
  // Neither does it hurry the change, nor hold it up.
  assert.equal(countIn(s), SLICE);
  settle(s);
  assert.equal(countIn(s), 3 * SLICE);
});

test('a newer set takes the place of one that is half in', () => {
  const s = makeState(POLICY, SEED);
  resolved(s, 0, range(0, 5 * SLICE));
  resolved(s, 0, ['x', 'y']);
  settle(s);
  assert.deepEqual(namesIn(s), ['x', 'y']);
});

test('a name that is gone loses a large set as well, and its streams go on', () => {
  const s = makeState(POLICY, SEED);
  resolved(s, 0, range(0, 3 * SLICE));
  settle(s);
  const [connect] = step(s, { t: 'arrived', at: 10, conn: 1, deadline: 1000 });
  assert.equal(connect?.t, 'connect');
  step(s, { t: 'connected', at: 10, dial: connect.dial });
  step(s, { t: 'resolved', at: 11, resolution: { t: 'neg' } });
  settle(s);
  assert.equal(countIn(s), 0);
  assert.deepEqual([...s.endpoints.keys()], [connect.address.text]);
  assert.deepEqual([...s.endpoints.values()].map(load), [1]);
});

test('whatever sets follow each other, the last one is in force in the end', () => {
  const size = fc.nat(3 * SLICE);
  const change = fc.record({ from: size, length: size, ticks: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const s = makeState(POLICY, SEED);
      let at = 0;
      let last: readonly string[] = [];
      for (const { from, length, ticks } of changes) {
        last = range(from, from + length);
        resolved(s, ++at, last);
        for (let i = 0; i < ticks; i++) step(s, { t: 'ticked', at: ++at });
      }
      settle(s);
      assert.deepEqual(namesIn(s), [...last].sort());
      assert.equal(s.live.total, last.length);
      assert.equal(s.byIndex.length - s.freeIndexes.length, last.length);
    }),
    { numRuns: 40 },
  );
});
