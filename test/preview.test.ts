/** What the next connection would get is what it then gets, and to ask changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { freeze } from '../src/balancer/freeze.ts';
import { preview } from '../src/balancer/select.ts';
import { makeState, type State } from '../src/balancer/state.ts';
import { nextDue, step } from '../src/balancer/step.ts';
import { endpoint, POLICY } from './support/balancer.ts';
import { play, worlds } from './support/worlds.ts';

/** Who comes next at this moment, and where it is sent. */
const sentTo = (state: State): string | undefined => {
  const { at } = state;
  const [command] = step(state, { t: 'arrived', at, conn: 1e6, deadline: at + 1000 });
  const isOurs = command?.t === 'connect' || command?.t === 'dispatch';
  return isOurs && command.conn === 1e6 ? command.address.text : undefined;
};

const check = (state: State): void => {
  const before = freeze(state);
  const told = preview(state, state.at);
  assert.deepEqual(freeze(state), before);
  const isDue = (nextDue(state) ?? Number.POSITIVE_INFINITY) <= state.at;
  if (isDue || told === undefined) return;
  if (state.waiters.size >= state.policy.maxWaiters) return;
  assert.equal(sentTo(state), told.chosen);
};

test('the preview is what comes, whatever has happened', () => {
  fc.assert(
    fc.property(worlds, ([given, seed, deeds]) => {
      check(play(given, seed, deeds).state);
    }),
    { numRuns: 500 },
  );
});

test('of a union it is of the branch whose turn it is', () => {
  const state = makeState(POLICY, 0.4);
  const sets = [['A', 'B'], ['C']].map((names) => ({
    t: 'set' as const,
    id: `/${names.join('')}`,
    endpoints: names.map(endpoint),
  }));
  const union = {
    t: 'union' as const,
    branches: sets.map((part, i) => ({ weight: i + 1, part })),
  };
  const endpoints = ['A', 'B', 'C'].map(endpoint);
  step(state, { t: 'resolved', at: 0, resolution: { t: 'bound', endpoints, union } });
  for (let conn = 0; conn < 50; conn++) {
    const told = preview(state, state.at)?.chosen;
    const [command] = step(state, { t: 'arrived', at: 0, conn, deadline: 1000 });
    assert.equal(command?.t === 'connect' && command.address.text, told);
  }
});
