/** What the socket pipe holds when one side is slower than the other: bounded, counted, and delivered later. */
import assert from 'node:assert/strict';
import { BufferBudget } from '../src/duplex/budget.ts';
import { SHORT_BYTES } from '../src/socket/socket.ts';
import { makeTimers } from '../src/timers.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { onBoth, pattern, stuck, turn } from './support/sockets.ts';

const MIB = 1024 * 1024;
/** The most that is read at once without a lease. */
const READ = 64 * 1024;

const makeBudget = (max: number): BufferBudget =>
  new BufferBudget(max, makeTimers(makeHandClock().scheduler));

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

onBoth(
  'a payload of many reads passes through a buffer of 1 KiB unchanged, both ways (cases 6, 18)',
  async (t, { join }) => {
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
  },
);

for (const [slow, fast, number] of [
  ['client', 'endpoint', 7],
  ['endpoint', 'client', 8],
] as const)
  onBoth(
    `50 MiB for the ${slow} that does not read wait within bounds, and are all delivered later (case ${number})`,
    async (t, { join, sockets }) => {
      const joined = await join(t, { reading: false });
      const { near, budget, summary, ...peers } = joined;
      pour(peers[fast].socket, 3, 50 * MIB);
      peers[fast].read();
      await stuck(joined, slow);
      const { unwritten, slack } = near[slow];
      // What is written from leased memory is counted as that memory.
      if (sockets.kind === 'handle') assert.ok(budget.held === MIB || budget.held <= READ);
      else assert.equal(budget.held, unwritten);
      const most = sockets.kind === 'handle' ? budget.held : slack + READ;
      assert.ok(unwritten <= most, `${unwritten} unwritten, ${budget.held} held`);
      peers[slow].read();
      assert.equal(await peers[slow].outcome, 'end');
      assertPattern(peers[slow].received, 3, 50 * MIB);
      assert.equal(budget.held, 0);
      peers[slow].socket.end();
      assert.deepEqual((await summary).close, { reason: 'end', by: fast });
    },
  );

onBoth('a reader that stops and goes gets every byte', async (t, { join }) => {
  const { client, endpoint } = await join(t);
  client.socket.on('data', () => {
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  pour(endpoint.socket, 4, 10 * MIB);
  assert.equal(await client.outcome, 'end');
  assertPattern(client.received, 4, 10 * MIB);
});

onBoth('a cut during a flush gives the bytes back and ends it (case 9)', async (t, { join }) => {
  const joined = await join(t, { reading: false });
  const { endpoint, budget, stream, summary } = joined;
  pour(endpoint.socket, 5, 50 * MIB);
  await stuck(joined, 'client');
  endpoint.socket.on('error', () => undefined);
  const { tx } = stream;
  stream.abort({ reason: 'shutdown', by: 'proxy' });
  const { close, tx: told } = await summary;
  assert.deepEqual(close, { reason: 'shutdown', by: 'proxy' });
  assert.equal(told, tx);
  assert.equal(budget.held, 0);
});

onBoth('counts as delivered only what the system has taken', async (t, { join, sockets }) => {
  const joined = await join(t, { reading: false });
  const { client, endpoint, near, stream, summary } = joined;
  pour(endpoint.socket, 6, 50 * MIB);
  endpoint.socket.on('error', () => undefined);
  await stuck(joined, 'client');
  const { tx } = stream;
  const { unwritten, queued } = near.client;
  // The system delivers what it has taken though the socket is closed.
  stream.abort({ reason: 'shutdown', by: 'proxy' });
  assert.equal(await client.read().outcome, 'end');
  assert.equal((await summary).tx, tx);
  assert.ok(client.length >= tx && client.length < tx + unwritten);
  // Of a write that is not over it may have taken a part, which a handle tells.
  if (sockets.kind === 'handle') assert.equal(client.length, tx + unwritten - queued);
  assert.ok(client.received.equals(pattern(6, 0, MIB * 50).subarray(0, client.length)));
});

onBoth(
  'a pressed budget keeps every direction short, and lets all of them finish',
  async (t, { join, sockets }) => {
    const budget = makeBudget(1);
    const first = await join(t, { reading: false, budget });
    pour(first.endpoint.socket, 7, 20 * MIB);
    await stuck(first, 'client');
    // The first to hold anything found the budget free; the next find it pressed.
    const second = await join(t, { reading: false, budget });
    const before = budget.held;
    assert.equal(budget.pressed, true);
    pour(second.endpoint.socket, 8, 20 * MIB);
    await stuck(second, 'client');
    const held = budget.held - before;
    const slack = sockets.kind === 'handle' ? 0 : SHORT_BYTES;
    assert.ok(held > 0 && held <= slack + READ, `${held} held`);
    for (const { client } of [first, second]) client.read();
    assert.equal(await first.client.outcome, 'end');
    assert.equal(await second.client.outcome, 'end');
    assertPattern(first.client.received, 7, 20 * MIB);
    assertPattern(second.client.received, 8, 20 * MIB);
    assert.equal(budget.held, 0);
    assert.equal(budget.pressed, false);
  },
);

for (const bufferSizeBytes of [READ, MIB])
  onBoth(
    `the account of many streams is what their sockets hold, at any time, with reads of ${bufferSizeBytes}`,
    async (t, { join, sockets }) => {
      const budget = makeBudget(8 * MIB);
      const streams = await Promise.all(
        Array.from({ length: 8 }, () =>
          join(t, { reading: false, budget, limits: { bufferSizeBytes } }),
        ),
      );
      streams.forEach(({ endpoint }, i) => {
        pour(endpoint.socket, i, 8 * MIB);
      });
      const sum = (): number =>
        streams.reduce((total, { near }) => total + near.client.unwritten, 0);
      const leases = bufferSizeBytes > READ && sockets.kind === 'handle';
      for (let i = 0; i < 200; i++) {
        if (i === 100) for (const { client } of streams) client.read();
        await turn();
        // What is leased counts whole, however much of it is in use.
        if (leases) assert.ok(budget.held >= sum() && budget.held <= 8 * bufferSizeBytes);
        else assert.equal(budget.held, sum());
      }
      await Promise.all(streams.map(({ client }) => client.outcome));
      streams.forEach(({ client }, i) => {
        assertPattern(client.received, i, 8 * MIB);
      });
      assert.equal(budget.held, 0);
    },
  );
