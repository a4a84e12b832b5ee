/** What the socket pipe holds when one side is slower than the other: bounded, counted, and delivered later. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { makeBudget, PRESSED_BYTES } from '../src/duplex/budget.ts';
import { join, pattern, turn } from './support/sockets.ts';

const MIB = 1024 * 1024;
/** The most that Node reads at once. */
const READ = 64 * 1024;

/** Writes a long pattern in pieces, as far as the other side takes it. */
const pour = (socket: NodeJS.WritableStream, seed: number, length: number): void => {
  for (let from = 0; from < length; from += MIB)
    socket.write(pattern(seed, from, Math.min(MIB, length - from)));
  socket.end();
};

/** Compares without a second copy of everything. */
const assertPattern = (received: Buffer, seed: number, length: number): void => {
  assert.equal(received.length, length);
  for (let from = 0; from < length; from += MIB) {
    const part = received.subarray(from, from + MIB);
    assert.ok(part.equals(pattern(seed, from, part.length)), `differs after ${from}`);
  }
};

test('a payload of many reads passes through a buffer of 1 KiB unchanged, both ways (cases 6, 18)', async (t) => {
  const { client, endpoint, budget, summary } = await join(t, {
    limits: { bufferSizeBytes: 1024 },
  });
  pour(client.socket, 1, 5 * MIB);
  pour(endpoint.socket, 2, 3 * MIB + 1);
  assert.deepEqual(await Promise.all([client.outcome, endpoint.outcome]), ['end', 'end']);
  assertPattern(endpoint.received, 1, 5 * MIB);
  assertPattern(client.received, 2, 3 * MIB + 1);
  const { rx, tx, close } = await summary;
  assert.deepEqual([rx, tx, close.reason], [5 * MIB, 3 * MIB + 1, 'end']);
  assert.equal(budget.held, 0);
});

for (const [slow, fast, number] of [
  ['client', 'endpoint', 7],
  ['endpoint', 'client', 8],
] as const)
  test(`50 MiB for the ${slow} that does not read wait within bounds, and are all delivered later (case ${number})`, async (t) => {
    const { near, budget, summary, ...peers } = await join(t, { reading: false });
    pour(peers[fast].socket, 3, 50 * MIB);
    peers[fast].read();
    while (!near[fast].isPaused()) await once(near[fast], 'data');
    for (let i = 0; i < 100; i++) await turn();
    assert.ok(budget.held >= 262_144 && budget.held < 262_144 + READ, `${budget.held} held`);
    assert.equal(budget.held, near[slow].writableLength);
    assert.ok(near[fast].readableLength <= READ);
    peers[slow].read();
    assert.equal(await peers[slow].outcome, 'end');
    assertPattern(peers[slow].received, 3, 50 * MIB);
    assert.equal(budget.held, 0);
    peers[slow].socket.end();
    assert.deepEqual((await summary).close, { reason: 'end', by: fast });
  });

test('a reader that stops and goes gets every byte', async (t) => {
  const { client, endpoint } = await join(t);
  client.socket.on('data', () => {
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  pour(endpoint.socket, 4, 10 * MIB);
  assert.equal(await client.outcome, 'end');
  assertPattern(client.received, 4, 10 * MIB);
});

test('a cut during a flush gives the bytes back and ends it (case 9)', async (t) => {
  const { endpoint, near, budget, stream, summary } = await join(t, { reading: false });
  pour(endpoint.socket, 5, 50 * MIB);
  while (!near.endpoint.isPaused()) await once(near.endpoint, 'data');
  endpoint.socket.on('error', () => undefined);
  const { tx } = stream;
  stream.abort({ reason: 'shutdown', by: 'proxy' });
  const { close, tx: told } = await summary;
  assert.deepEqual(close, { reason: 'shutdown', by: 'proxy' });
  assert.equal(told, tx);
  assert.equal(budget.held, 0);
});

test('counts as delivered only what the system has taken', async (t) => {
  const { client, endpoint, near, budget, stream } = await join(t, { reading: false });
  pour(endpoint.socket, 6, 50 * MIB);
  while (!near.endpoint.isPaused()) await once(near.endpoint, 'data');
  const taken = near.endpoint.bytesRead - near.endpoint.readableLength - budget.held;
  assert.equal(stream.tx, taken);
  client.resets();
  endpoint.socket.on('error', () => undefined);
});

test('a pressed budget keeps every direction short, and lets all of them finish', async (t) => {
  const budget = makeBudget(1);
  const first = await join(t, { reading: false, budget });
  pour(first.endpoint.socket, 7, 20 * MIB);
  while (!first.near.endpoint.isPaused()) await once(first.near.endpoint, 'data');
  // The first to hold anything found the budget free; the next find it pressed.
  const second = await join(t, { reading: false, budget });
  const before = budget.held;
  assert.equal(budget.pressed, true);
  pour(second.endpoint.socket, 8, 20 * MIB);
  while (!second.near.endpoint.isPaused()) await once(second.near.endpoint, 'data');
  const held = budget.held - before;
  assert.ok(held > 0 && held < PRESSED_BYTES + READ, `${held} held`);
  for (const { client } of [first, second]) client.read();
  assert.equal(await first.client.outcome, 'end');
  assert.equal(await second.client.outcome, 'end');
  assertPattern(first.client.received, 7, 20 * MIB);
  assertPattern(second.client.received, 8, 20 * MIB);
  assert.equal(budget.held, 0);
  assert.equal(budget.pressed, false);
});

test('the account of many streams is the sum of what their sockets hold, at any time', async (t) => {
  const budget = makeBudget(8 * MIB);
  const streams = await Promise.all(
    Array.from({ length: 8 }, () => join(t, { reading: false, budget })),
  );
  streams.forEach(({ endpoint }, i) => {
    pour(endpoint.socket, i, 8 * MIB);
  });
  const sum = (): number =>
    streams.reduce((total, { near }) => total + near.client.writableLength, 0);
  for (let i = 0; i < 200; i++) {
    if (i === 100) for (const { client } of streams) client.read();
    await turn();
    // A write that the system has taken is told a moment later, never earlier.
    assert.ok(budget.held >= sum(), `${budget.held} held, ${sum()} in the sockets`);
  }
  await Promise.all(streams.map(({ client }) => client.outcome));
  streams.forEach(({ client }, i) => {
    assertPattern(client.received, i, 8 * MIB);
  });
  assert.equal(budget.held, 0);
});
