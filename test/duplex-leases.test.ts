/** When a direction of a stream leases memory, gives it back, and reads less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import { HandleSocket } from '../src/socket/handle-socket.ts';
import { Memory, SHARED_BYTES } from '../src/socket/memory.ts';
import { fresh } from '../src/socket/read-ahead.ts';
import { makeTimers } from '../src/timers.ts';
import { FakeNative } from './support/fake-handle.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { NO_LIMITS } from './support/sockets.ts';

/** What a direction reads at once while the budget is used up. */
const PRESSED_BYTES = 16 * 1024;

/** A stream between two handles, and what it keeps account with. */
const makeStream = () => {
  const native = new FakeNative();
  const memory = new Memory(native, () => undefined);
  const clock = makeHandClock();
  const timers = makeTimers(clock.scheduler);
  const budget = new BufferBudget(256 * 2 ** 20, timers);
  const [client, endpoint] = [native.makeTcp(), native.makeTcp()];
  const begin = (handle: typeof client) => fresh(new HandleSocket(handle, memory));
  openDuplex(begin(client), begin(endpoint), {
    limits: NO_LIMITS,
    timers,
    budget,
    answered: () => undefined,
    closed: () => assert.fail('it goes on'),
  });
  const say = (bytes: number): void => {
    client.arrive(Buffer.alloc(bytes));
    client.poll();
  };
  return { client, endpoint, clock, timers, budget, say };
};

test('a direction that fills its reads leases memory until one small read', () => {
  const { say, budget } = makeStream();
  say(3 * SHARED_BYTES);
  assert.ok(budget.held > SHARED_BYTES);
  say(100);
  assert.equal(budget.held, 0);
});

test('or until it has been quiet', () => {
  const { say, budget, clock, timers } = makeStream();
  say(SHARED_BYTES);
  assert.ok(budget.held > SHARED_BYTES);
  clock.advance(5000);
  assert.equal(budget.held, 0);
  assert.equal(timers.size(), 0, 'nothing looks for leases that are not there');
});

test('while the budget is used up nobody leases, and who has to wait reads 16 KiB at once', () => {
  const { say, budget, client, endpoint } = makeStream();
  const others = budget.max;
  budget.held += others;
  say(3 * SHARED_BYTES);
  assert.equal(budget.held, others);
  endpoint.block();
  say(SHARED_BYTES);
  endpoint.admit(Number.POSITIVE_INFINITY);
  endpoint.poll();
  client.longestRead = 0;
  say(3 * SHARED_BYTES);
  assert.equal(client.longestRead, PRESSED_BYTES);
  assert.equal(budget.held, others);
});
