/** The retry budget: how many retries a name may spend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RetryBudget } from '../src/balancer/budget.ts';

const DEFAULTS = { minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10 };

/** Retries that are granted one after the other until one is not. */
const drain = (budget: RetryBudget, atMs: number): number => {
  let granted = 0;
  while (granted < 10_000 && budget.withdraw(atMs, false)) granted += 1;
  return granted;
};

test('a quiet name may spend the reserve of its window: 10 a second for 10 s', () => {
  assert.equal(drain(new RetryBudget(DEFAULTS), 0), 100);
});

test('each five connections add a retry', () => {
  const budget = new RetryBudget(DEFAULTS);
  for (let i = 0; i < 500; i++) budget.deposit(0);
  const granted = drain(budget, 9999);
  assert.ok(granted >= 199 && granted <= 200, `${granted}`);
});

test('what is paid in or spent is forgotten when the window has passed', () => {
  const budget = new RetryBudget(DEFAULTS);
  for (let i = 0; i < 500; i++) budget.deposit(0);
  assert.equal(drain(budget, 10_000), 100);
  assert.equal(drain(budget, 19_999), 0);
  assert.equal(drain(budget, 20_000), 100);
});

test('a free retry is granted to everybody, and is paid for by the next ones', () => {
  const budget = new RetryBudget({ ...DEFAULTS, minRetriesPerSec: 0 });
  assert.equal(budget.withdraw(0, false), false);
  for (let i = 0; i < 10; i++) assert.equal(budget.withdraw(0, true), true);
  for (let i = 0; i < 50; i++) budget.deposit(0);
  assert.equal(drain(budget, 0), 0);
  for (let i = 0; i < 6; i++) budget.deposit(0);
  assert.equal(drain(budget, 0), 1);
});

test('equal limits keep the budget, others begin anew', () => {
  const budget = new RetryBudget(DEFAULTS);
  assert.equal(budget.with({ ...DEFAULTS }), budget);
  assert.notEqual(budget.with({ ...DEFAULTS, ttlSecs: 20 }), budget);
});

test('whatever happens, no window of time sees more retries than its limits allow', () => {
  const events = fc.array(fc.tuple(fc.nat(3000), fc.boolean()), { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(events, (steps) => {
      const limits = { minRetriesPerSec: 1, percentCanRetry: 0.5, ttlSecs: 5 };
      const budget = new RetryBudget(limits);
      const spent: number[] = [];
      const paid: number[] = [];
      let at = 0;
      for (const [ms, isDeposit] of steps) {
        at += ms;
        if (isDeposit) {
          budget.deposit(at);
          paid.push(at);
        } else if (budget.withdraw(at, false)) {
          spent.push(at);
        }
        // The window is kept in slots of a second, so that it is up to one second shorter than `ttlSecs`;
        // what was spent at its beginning may have been paid in a window before.
        const recent = (times: readonly number[], ms: number): number =>
          times.filter((time) => time > at - ms).length;
        assert.ok(recent(spent, 4000) <= 5 + 0.5 * recent(paid, 10_000) + 1e-6);
      }
    }),
    { numRuns: 300 },
  );
});
