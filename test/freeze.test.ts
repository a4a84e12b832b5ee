/** States of balancers written down and made again: whatever has happened, what follows is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { freeze } from '../src/balancer/freeze.ts';
import { frozenState } from '../src/balancer/frozen.ts';
import type { Event } from '../src/balancer/messages.ts';
import { makeState, type State } from '../src/balancer/state.ts';
import { nextDue, step } from '../src/balancer/step.ts';
import { thaw } from '../src/balancer/thaw.ts';
import type { Part, Resolution } from '../src/interpreter/interpreter.ts';
import { endpoint, POLICY } from './support/balancer.ts';
import { own, play, worlds } from './support/worlds.ts';

/** By way of a line of a recording. */
const again = (state: State): State => {
  const read = frozenState.decode(JSON.parse(JSON.stringify(freeze(state))));
  if (isLeft(read)) throw new Error(`no state: ${JSON.stringify(freeze(state))}`);
  return thaw(read.right, own);
};

/** Addresses by their texts: a thawed one has read its parts out of the text. */
const told = (commands: unknown): unknown =>
  JSON.parse(
    JSON.stringify(commands, (key, value) => (key === 'address' ? (value.text ?? value) : value)),
  );

/** Steps a state, and one that is made again after every few events; both must say the same and know the same. */
const compare = (state: State, events: readonly Event[], every: number): void => {
  let other = again(state);
  for (const [i, event] of events.entries()) {
    assert.deepEqual(told(step(other, event)), told(step(state, event)));
    assert.equal(nextDue(other), nextDue(state));
    if (i % every === 0) other = again(other);
  }
  assert.deepEqual(told(freeze(other)), told(freeze(state)));
};

test('a state made again decides as the first would, whatever has happened', () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 20 }), ([given, seed, deeds], every) => {
      const { events } = play(given, seed, deeds);
      compare(makeState({ ...POLICY, ...given }, seed, own), events, every);
    }),
    { numRuns: 500 },
  );
});

const set = (id: string, ...names: readonly string[]): Part => ({
  t: 'set',
  id,
  endpoints: names.map(endpoint),
});

const divided: Resolution = {
  t: 'bound',
  endpoints: ['A', 'B', 'C*2', 'D'].map(endpoint),
  union: {
    t: 'union',
    branches: [
      { weight: 9, part: set('/a', 'A', 'B') },
      {
        weight: 1,
        part: {
          t: 'union',
          branches: [
            { weight: 1, part: set('/b', 'C*2', 'A') },
            { weight: 3, part: set('/c', 'D') },
          ],
        },
      },
    ],
  },
};

test('branches go on where they stood', () => {
  const events: Event[] = [{ t: 'resolved', at: 0, resolution: divided }];
  for (let i = 0; i < 200; i++) {
    const at = 10 * (i + 1);
    events.push({ t: 'arrived', at, conn: i, deadline: at + 1000 });
    if (i % 3 === 0) {
      const detail = 'ECONNREFUSED';
      events.push({ t: 'connectFailed', at: at + 1, dial: i, cause: 'refused', detail });
    } else events.push({ t: 'connected', at: at + 1, dial: i });
  }
  compare(makeState(POLICY, 0.3), events, 7);
});

test('what is no state is refused', () => {
  const good = JSON.parse(JSON.stringify(freeze(makeState(POLICY, 0.1))));
  assert.ok(!isLeft(frozenState.decode(good)));
  for (const key of ['policy', 'dice', 'endpoints', 'live', 'due', 'budget'])
    assert.ok(isLeft(frozenState.decode({ ...good, [key]: 'x' })), key);
});
