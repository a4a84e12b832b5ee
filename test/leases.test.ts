/** Memory that busy directions lease. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferBudget } from '../src/duplex/budget.ts';
import { makeTimers } from '../src/timers.ts';
import { makeHandClock } from './support/hand-clock.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const makeBudget = (max: number): BufferBudget =>
  new BufferBudget(max, makeTimers(makeHandClock().scheduler));

const makeHolder = () => ({ slot: -1, movedAt: 0, giveLease: () => undefined });

/** How long the pieces are that directions get which all want so much. */
const lengths = (budget: BufferBudget, count: number, most: number): (number | undefined)[] =>
  Array.from({ length: count }, () => budget.lease(most, makeHolder())?.length);

test('few directions lease as much as they want, and more of them less each', () => {
  const got = lengths(makeBudget(256 * MIB), 40, MIB);
  const expected = [
    ...Array<number>(8).fill(MIB),
    ...Array<number>(8).fill(512 * KIB),
    ...Array<number>(24).fill(256 * KIB),
  ];
  assert.deepEqual(got, expected);
});

test('nobody gets more than is wanted, and little is not made less', () => {
  assert.deepEqual(lengths(makeBudget(256 * MIB), 3, 300_000), [300_000, 300_000, 300_000]);
  assert.deepEqual(lengths(makeBudget(256 * MIB), 40, 100_001), Array(40).fill(100_001));
});

test('leases take half of the budget at most', () => {
  const budget = makeBudget(4 * MIB);
  assert.deepEqual(lengths(budget, 3, MIB), [MIB, MIB, undefined]);
  assert.equal(budget.held, 2 * MIB);
});

test('memory that was given back is used again by whoever gets as much', () => {
  const budget = makeBudget(256 * MIB);
  const holder = makeHolder();
  const first = budget.lease(MIB, holder);
  assert.ok(first !== undefined);
  budget.giveBack(first, holder);
  assert.notEqual(budget.lease(MIB / 2, makeHolder()), first);
  assert.equal(budget.lease(MIB, makeHolder()), first);
});

test('pieces of a length that is wanted no more make room for others', () => {
  const budget = makeBudget(256 * MIB);
  const borrow = (bytes: number) => {
    const holder = makeHolder();
    const memory = budget.lease(bytes, holder);
    assert.ok(memory !== undefined);
    return { memory, giveBack: () => budget.giveBack(memory, holder) };
  };
  const small = Array.from({ length: 4 }, () => borrow(MIB / 4));
  for (const { giveBack } of small) giveBack();
  const large = borrow(MIB);
  large.giveBack();
  assert.equal(borrow(MIB).memory, large.memory);
});
