/** When a direction of a stream leases memory, gives it back, and reads less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import { HandleSocket } from '../src/socket/handle-socket.ts';
import { Memory, SHARED_BYTES } from '../src/socket/memory.ts';
import { fresh } from '../src/socket/read-ahead.ts';
import { SHORT_BYTES } from '../src/socket/socket.ts';
import { makeTimers } from '../src/timers.ts';
import { FakeNative } from './support/fake-handle.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { NO_LIMITS } from './support/sockets.ts';

/** A stream between two handles, and what it keeps account with. */
const makeStream = () => {
  const native = new FakeNative();
  const clock = makeHandClock();
  const timers = makeTimers(clock.scheduler);
  const budget = new BufferBudget(256 * 2 ** 20, timers);
  const memory = new Memory(native, () => undefined, budget);
  const [client, endpoint] = [native.makeTcp(), native.makeTcp()];
  const begin = (handle: typeof client) => fresh(new HandleSocket(handle, memory));
  openDuplex(begin(client), begin(endpoint), {
    limits: NO_LIMITS,
    timers,
    budget,
    answered: () => undefined,
    closed: () => assert.fail('it goes on'),
  });
  /** The longest read of so many bytes that come. */
  const say = (bytes: number): number => {
    client.longestRead = 0;
    client.arrive(Buffer.alloc(bytes));
    client.poll();
    return client.longestRead;
  };
  return { endpoint, clock, timers, budget, say };
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
  say(2 * SHARED_BYTES);
  assert.ok(budget.held > SHARED_BYTES);
  clock.advance(5000);
  assert.equal(budget.held, 0);
  assert.equal(timers.size(), 0, 'nothing looks for leases that are not there');
});

test('while it is stuck nothing looks whether it could, however long, and afterwards it does', () => {
  const { say, budget, clock, timers, endpoint } = makeStream();
  say(2 * SHARED_BYTES);
  endpoint.block();
  say(SHARED_BYTES);
  clock.advance(5000);
  assert.equal(timers.size(), 0);
  assert.ok(budget.held > SHARED_BYTES);
  endpoint.admit(Number.POSITIVE_INFINITY);
  endpoint.poll();
  assert.ok(budget.held > SHARED_BYTES);
  clock.advance(5000);
  assert.equal(budget.held, 0);
  assert.equal(timers.size(), 0);
});

test('a direction begins with short reads, goes on with full ones, and then with memory of its own', () => {
  const { say } = makeStream();
  assert.equal(say(SHORT_BYTES), SHORT_BYTES);
  assert.equal(say(SHARED_BYTES), SHARED_BYTES);
  assert.equal(say(5 * SHARED_BYTES), 5 * SHARED_BYTES);
});

test('near the end of the budget nobody leases, and all read little at once', () => {
  const { say, budget } = makeStream();
  say(SHORT_BYTES);
  const others = 0.75 * budget.max;
  budget.held += others;
  say(SHARED_BYTES);
  assert.equal(say(3 * SHARED_BYTES), SHORT_BYTES);
  assert.equal(budget.held, others);
  budget.held -= 1;
  say(SHORT_BYTES);
  assert.equal(say(SHARED_BYTES), SHARED_BYTES);
});

test('near the end of the budget leases are given back: at the next read, or when all is written', () => {
  for (const isLate of [false, true]) {
    const { say, budget, endpoint } = makeStream();
    const others = 0.75 * budget.max;
    say(3 * SHARED_BYTES);
    if (isLate) {
      endpoint.block();
      say(SHARED_BYTES);
    }
    budget.held += others;
    if (isLate) {
      endpoint.admit(Number.POSITIVE_INFINITY);
      endpoint.poll();
    } else say(2 * SHARED_BYTES);
    assert.equal(budget.held, others);
    assert.equal(say(3 * SHARED_BYTES), SHORT_BYTES);
  }
});
