/** Unions in the balancer: the branch comes first, by weight; then an endpoint in it, as without a union. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lots } from '../src/balancer/lots.ts';
import { makeDice } from '../src/balancer/random.ts';
import { makeState, type State } from '../src/balancer/state.ts';
import { step } from '../src/balancer/step.ts';
import { gaugeName, viewName } from '../src/balancer/view.ts';
import type { Part, Resolution, Union } from '../src/interpreter/interpreter.ts';
import { endpoint, POLICY, Trial } from './support/balancer.ts';

const SEED = 0.3;

/** Endpoints that are balanced together. */
const set = (...letters: readonly string[]): Part => ({
  t: 'set',
  id: `/#/${letters.join('')}`,
  endpoints: letters.map(endpoint),
});

const union = (...branches: readonly (readonly [number, Part])[]): Union => ({
  t: 'union',
  branches: branches.map(([weight, part]) => ({ weight, part })),
});

const lettersOf = (part: Part): readonly string[] =>
  part.t === 'set'
    ? part.endpoints.map(({ address }) => address.text)
    : part.branches.flatMap((branch) => lettersOf(branch.part));

const bind = (whole: Union): Resolution => ({
  t: 'bound',
  endpoints: [...new Set(lettersOf(whole))].map(endpoint),
  union: whole,
});

/** Lets one connection arrive and be dispatched; says where to, and by which dial. */
const admit = (s: State, conn: number): { readonly to: string; readonly dial: number } => {
  const [connect] = step(s, { t: 'arrived', at: conn, conn, deadline: conn + 1000 });
  assert.equal(connect?.t, 'connect');
  step(s, { t: 'connected', at: conn, dial: connect.dial });
  return { to: connect.address.text, dial: connect.dial };
};

/** How many of `count` connections each endpoint gets while about `open` of them are open. */
const tally = (s: State, count: number, open: number): Map<string, number> => {
  const taken = new Map<string, number>();
  const dials: number[] = [];
  for (let conn = 0; conn < count; conn++) {
    const { to, dial } = admit(s, conn);
    taken.set(to, (taken.get(to) ?? 0) + 1);
    dials.push(dial);
    const closing = dials.length > open ? dials.shift() : undefined;
    if (closing !== undefined) step(s, { t: 'closed', at: conn, dial: closing, spurned: false });
  }
  return taken;
};

const bindTo = (whole: Union): State => {
  const s = makeState(POLICY, SEED);
  step(s, { t: 'resolved', at: 0, resolution: bind(whole) });
  return s;
};

const sum = (taken: ReadonlyMap<string, number>, letters: readonly string[]): number =>
  letters.reduce((all, letter) => all + (taken.get(letter) ?? 0), 0);

const MANY = Array.from({ length: 20 }, (_, i) => `M${i}`);

for (const open of [0, 1, 10, 500]) {
  test(`a canary of 1 % gets 1 % of 100,000 connections while ${open} are open`, () => {
    const whole = union([0.99, set(...MANY)], [0.01, set('C')]);
    const share = sum(tally(bindTo(whole), 100_000, open), ['C']) / 100_000;
    assert.ok(Math.abs(share - 0.01) <= 0.001, `${share}`);
  });
}

test('how many endpoints a branch has, and what they weigh, changes nothing of its share', () => {
  const whole = union([1, set('A*1000', 'B*1000', 'D*10')], [1, set('C*0.001')]);
  const taken = tally(bindTo(whole), 20_000, 3);
  assert.ok(Math.abs(sum(taken, ['C']) - 10_000) < 50, `${sum(taken, ['C'])}`);
});

test('unions in unions divide what their branch gets', () => {
  const inner = union([0.25, set('B')], [0.75, set('C')]);
  const taken = tally(bindTo(union([0.6, set('A')], [0.4, inner])), 20_000, 5);
  for (const [letter, share] of Object.entries({ A: 0.6, B: 0.1, C: 0.3 }))
    assert.ok(Math.abs(sum(taken, [letter]) / 20_000 - share) < 0.005, letter);
});

test('a branch of weight 0 gets nothing, also while it is the only one', () => {
  const trial = new Trial();
  trial.resolve(bind(union([1, set('A')], [0, set('Z')])));
  for (let conn = 1; conn <= 50; conn++) assert.deepEqual(trial.arrive(conn), ['connect A']);
  trial.resolve(bind(union([1, set()], [0, set('Z')])));
  assert.deepEqual(trial.arrive(51), []);
});

const STRICT = { failFast: { maxConsecutiveFailures: 1, failurePenaltySecs: 10 } };

/** Sends connections until the endpoint of that letter has failed once and is put aside. */
const breakOne = (trial: Trial, letter: string): void => {
  for (let conn = 1000 + trial.now + trial.commands.length; !trial.failed.has(letter); conn++) {
    trial.arrive(conn);
    for (const [dial, { address }] of [...trial.dialing])
      if (address === letter) trial.fail(dial);
      else trial.connected(dial);
  }
};

const branches = (trial: Trial): string =>
  (viewName(trial.state, '/svc/x', trial.now).branches ?? [])
    .map(({ id, share, state }) => `${id} ${share} ${state}`)
    .join(', ');

test('a branch that has failed gives its share to the others, and gets it back', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bind(union([6, set('A')], [3, set('B')], [1, set('C')])));
  assert.equal(branches(trial), '/#/A 0.6 available, /#/B 0.3 available, /#/C 0.1 available');
  breakOne(trial, 'A');
  assert.equal(branches(trial), '/#/A 0 failed, /#/B 0.75 available, /#/C 0.25 available');
  const { branches: counts } = gaugeName(trial.state, { rt: 'r', dst: '/svc/x' }, trial.now);
  assert.deepEqual(counts, { available: 2, failed: 1 });
  const told = Array.from({ length: 100 }, (_, i) => trial.arrive(i)[0]);
  assert.equal(told.filter((one) => one === 'connect A').length, 0);
  assert.ok(Math.abs(told.filter((one) => one === 'connect C').length - 25) <= 2);
  for (const dial of [...trial.dialing.keys()]) trial.connected(dial);
  trial.pass(20_000);
  for (let conn = 5000; trial.failed.has('A'); conn++) {
    trial.arrive(conn);
    for (const dial of [...trial.dialing.keys()]) trial.connected(dial);
    for (const dial of [...trial.streams.keys()]) trial.answer(dial);
  }
  assert.equal(branches(trial), '/#/A 0.6 available, /#/B 0.3 available, /#/C 0.1 available');
});

test('a branch that is drained gives its share to the others, and gets it back', () => {
  const trial = new Trial();
  const full = bind(union([9, set('A')], [1, set('B')]));
  trial.resolve(full);
  trial.resolve(bind(union([9, set()], [1, set('B')])));
  assert.equal(branches(trial), '/#/ 0 failed, /#/B 1 available');
  assert.deepEqual(trial.arrive(1), ['connect B']);
  trial.resolve(full);
  assert.equal(branches(trial), '/#/A 0.9 available, /#/B 0.1 available');
});

test('a branch whose endpoints have all failed is not waited for: the rest of a union is tried', () => {
  const trial = new Trial();
  trial.resolve(bind(union([1, set('A')], [1, set('B')])));
  trial.arrive(1);
  const [[dial, { address }] = assert.fail()] = trial.dialing;
  const other = address === 'A' ? 'B' : 'A';
  assert.deepEqual(trial.fail(dial), [`connect ${other}`]);
});

test('while all branches have failed, one is tried', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bind(union([1, set('A')], [1, set('B')])));
  breakOne(trial, 'A');
  breakOne(trial, 'B');
  assert.equal(branches(trial), '/#/A 0 failed, /#/B 0 failed');
  const told = [...trial.arrive(1), ...trial.pass(1000)];
  assert.ok(told.some((one) => one.startsWith('connect ')));
});

test('an address in two branches is one endpoint: one load, one penalty', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bind(union([1, set('A', 'S')], [1, set('B', 'S')])));
  assert.equal(viewName(trial.state, '/svc/x', 0).endpoints.length, 3);
  breakOne(trial, 'S');
  for (let conn = 1; conn <= 100; conn++) assert.notEqual(trial.arrive(conn)[0], 'connect S');
});

test('where a union comes or goes, endpoints keep their streams and their penalties', () => {
  const trial = new Trial(STRICT);
  const plain: Resolution = { t: 'bound', endpoints: ['A', 'B'].map(endpoint) };
  trial.resolve(plain);
  breakOne(trial, 'A');
  const open = trial.streams.size;
  trial.resolve(bind(union([1, set('A')], [1, set('B')])));
  assert.equal(branches(trial), '/#/A 0 failed, /#/B 1 available');
  assert.equal(gaugeName(trial.state, { rt: 'r', dst: '/svc/x' }, trial.now).open, open);
  trial.resolve(plain);
  assert.equal(viewName(trial.state, '/svc/x', trial.now).branches, undefined);
  assert.deepEqual(trial.arrive(1), ['connect B']);
});

/** A union of up to three levels over the letters A to F, which may stand in several places. */
const anyUnion: fc.Arbitrary<Union> = fc.letrec<{ part: Part; union: Union }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.subarray([...'ABCDEF']).map((letters) => set(...letters)),
    tie('union'),
  ),
  union: fc
    .array(fc.tuple(fc.constantFrom(0, 0.01, 1, 3), tie('part')), { minLength: 2, maxLength: 3 })
    .map((all) => union(...all)),
})).union;

/** What each set gets by the plain meaning of a union, from left to right. */
const plainly = (part: Part, holds: ReadonlySet<string>, share = 1): readonly number[] => {
  const isOpen = (one: Part): boolean =>
    one.t === 'set'
      ? lettersOf(one).some((letter) => holds.has(letter))
      : one.branches.some(({ weight, part: under }) => weight > 0 && isOpen(under));
  if (part.t === 'set') return [share];
  const open = part.branches.filter((branch) => isOpen(branch.part));
  const total = open.reduce((all, { weight }) => all + weight, 0);
  return part.branches.flatMap(({ weight, part: under }) =>
    plainly(under, holds, isOpen(under) && total > 0 ? (share * weight) / total : 0),
  );
};

test('whoever comes and goes, shares are those of the plain meaning, and draws follow them', () => {
  const moves = fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(anyUnion, moves, (whole, all) => {
      const dice = makeDice(SEED);
      const lots = new Lots(whole, dice);
      const holds = new Set<string>();
      for (const [index, isIn] of all) {
        const { address } = endpoint('ABCDEF'[index] ?? 'A');
        lots.put({ index, weight: 1, address }, isIn);
        if (isIn) holds.add(address.text);
        else holds.delete(address.text);
      }
      const wanted = plainly(whole, holds);
      const found = lots.shares().map(({ share }) => share);
      assert.equal(found.length, wanted.length);
      for (const [i, share] of found.entries())
        assert.ok(Math.abs(share - (wanted[i] ?? 0)) < 1e-9);
      const isAny = wanted.some((share) => share > 0);
      const drawn = lots.pick()?.draw(0.5, dice);
      if (isAny) assert.ok(drawn !== undefined && holds.has('ABCDEF'[drawn] ?? ''));
      else assert.equal(drawn, undefined);
    }),
    { numRuns: 500 },
  );
});
