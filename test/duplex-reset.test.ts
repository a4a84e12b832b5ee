/** What the socket pipe does when a side is reset, fails or vanishes, at any moment. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { makeBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import { resetSocket } from '../src/duplex/reset.ts';
import { makeTimers } from '../src/timers.ts';
import { FakeSocket } from './support/fake-socket.ts';
import { makeHandClock } from './support/hand-clock.ts';
import {
  connectPlain,
  connectTls,
  handlesGone,
  join,
  NO_LIMITS,
  openHandles,
  pattern,
  turn,
} from './support/sockets.ts';

test('a reset by the endpoint before any byte is passed on (case 15)', async (t) => {
  const { client, endpoint, summary } = await join(t);
  endpoint.resets();
  assert.equal(await client.outcome, 'ECONNRESET');
  const { close, endpointFirst, rx, tx } = await summary;
  assert.deepEqual(close, { reason: 'reset', by: 'endpoint', detail: 'ECONNRESET' });
  assert.deepEqual([endpointFirst, rx, tx], [true, 0, 0]);
});

test('a reset by the client is passed on', async (t) => {
  const { client, endpoint, summary } = await join(t);
  client.resets();
  assert.equal(await endpoint.outcome, 'ECONNRESET');
  const { close, endpointFirst } = await summary;
  assert.deepEqual(close, { reason: 'reset', by: 'client', detail: 'ECONNRESET' });
  assert.equal(endpointFirst, false);
});

test('a reset by an endpoint that has read, and never answered, is passed on', async (t) => {
  const { client, endpoint } = await join(t);
  await client.says('question');
  await endpoint.gets(8);
  endpoint.resets();
  assert.equal(await client.outcome, 'ECONNRESET');
});

test('a reset long after the last answer is passed on', async (t) => {
  const { client, endpoint, clock } = await join(t);
  await endpoint.says('answer');
  await client.gets(6);
  clock.advance(100);
  endpoint.resets();
  assert.equal(await client.outcome, 'ECONNRESET');
});

test('a reset right after the answer leaves the answer whole, and ends it (case 16)', async (t) => {
  const { client, endpoint, near, clock, summary } = await join(t);
  await endpoint.says('answer');
  await client.gets(6);
  clock.advance(99);
  endpoint.resets();
  assert.equal(await client.outcome, 'end');
  assert.equal(client.text, 'answer');
  // The client need not end too: what the system holds for it counts for resetLingerMs only.
  if (!near.client.writableFinished) await once(near.client, 'finish');
  clock.advance(100);
  const { close, tx } = await summary;
  assert.deepEqual(
    [close.reason, close.by, close.detail, tx],
    ['reset', 'endpoint', 'ECONNRESET', 6],
  );
});

test('a reset does not discard an answer that the client has still to read (case 16)', async (t) => {
  const { client, endpoint, near, budget, clock, summary } = await join(t, { reading: false });
  const answer = pattern(1, 0, 24_000_000);
  endpoint.socket.write(answer);
  while (budget.held < 262_144) await once(near.endpoint, 'data');
  endpoint.socket.resetAndDestroy();
  await turn();
  clock.advance(60_000);
  client.read();
  assert.equal(await client.outcome, 'end');
  assert.ok(client.length > 262_144);
  assert.ok(client.received.equals(answer.subarray(0, client.length)));
  client.socket.end();
  const { close, tx } = await summary;
  assert.deepEqual([close.reason, close.by, tx], ['reset', 'endpoint', client.length]);
});

test('what was read from a paused side before it failed is still delivered', async (t) => {
  const limits = { bufferSizeBytes: 1 };
  const { client, endpoint, near, summary } = await join(t, { reading: false, limits });
  const answer = pattern(2, 0, 24_000_000);
  endpoint.socket.write(answer);
  while (!near.endpoint.isPaused() || near.endpoint.readableLength === 0) await turn();
  const read = near.endpoint.bytesRead;
  near.endpoint.destroy(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
  client.read();
  assert.equal(await client.outcome, 'end');
  assert.equal(client.length, read);
  assert.ok(client.received.equals(answer.subarray(0, read)));
  client.socket.end();
  assert.equal((await summary).tx, read);
});

test('after a half-close, a reset of either side still ends both', async (t) => {
  for (const [ender, other] of [
    ['client', 'endpoint'],
    ['endpoint', 'client'],
  ] as const) {
    const ended = await join(t);
    ended[ender].socket.end('last words');
    assert.equal(await ended[other].outcome, 'end');
    ended.clock.advance(100);
    ended[other].resets();
    assert.equal(await ended[ender].outcome, 'ECONNRESET');
    assert.deepEqual((await ended.summary).close, {
      reason: 'reset',
      by: other,
      detail: 'ECONNRESET',
    });
  }
});

test('a side that ends and then vanishes under its answer is a reset', async (t) => {
  const { client, endpoint, clock, summary } = await join(t);
  client.socket.end('question');
  assert.equal(await endpoint.outcome, 'end');
  clock.advance(100);
  client.socket.destroy();
  await once(client.socket, 'close');
  const flood = setInterval(() => endpoint.socket.write(pattern(3, 0, 100_000)), 1);
  const { close } = await summary;
  clearInterval(flood);
  assert.deepEqual([close.reason, close.by], ['reset', 'client']);
  assert.match(String(close.detail), /^(?:EPIPE|ECONNRESET)$/);
});

test('a client that vanishes while the endpoint is held back leaves nothing', async (t) => {
  const before = openHandles();
  const { client, endpoint, near, budget, summary, clock } = await join(t, { reading: false });
  endpoint.read();
  endpoint.socket.on('error', () => undefined);
  const flood = setInterval(() => endpoint.socket.write(pattern(4, 0, 1_000_000)), 1);
  while (!near.endpoint.isPaused()) await turn();
  assert.ok(budget.held >= 262_144);
  client.resets();
  const { close, tx } = await summary;
  clearInterval(flood);
  assert.deepEqual([close.reason, close.by], ['reset', 'client']);
  assert.ok(tx > 0);
  assert.equal(budget.held, 0);
  clock.advance(0);
  assert.equal(await endpoint.outcome, 'ECONNRESET');
  await handlesGone(before);
});

test('a client that goes on sending after its endpoint is gone is cut when nothing is owed any more', async (t) => {
  const { client, endpoint, near, clock, summary, stream } = await join(t);
  client.socket.on('error', () => undefined);
  await endpoint.says('answer');
  await client.gets(6);
  endpoint.resets();
  if (!near.client.writableFinished) await once(near.client, 'finish');
  const { rx } = stream;
  client.socket.write('to nobody');
  await once(near.client, 'data');
  assert.equal(near.client.destroyed, false);
  clock.advance(100);
  assert.equal((await summary).rx, rx);
});

test('bytes that wait in the stream are owed however long they wait', async (t) => {
  const limits = { bufferSizeBytes: 100_000_000 };
  const { client, endpoint, near, clock } = await join(t, { reading: false, limits });
  const answer = pattern(8, 0, 24_000_000);
  endpoint.socket.write(answer);
  while (near.endpoint.bytesRead < 24_000_000) await once(near.endpoint, 'data');
  clock.advance(3600_000);
  endpoint.resets();
  await once(near.endpoint, 'close').catch(() => undefined);
  client.read();
  assert.equal(await client.outcome, 'end');
  assert.ok(client.received.equals(answer));
});

test('one that is owed bytes and never takes them is cut by the half-close limit', async (t) => {
  const limits = { halfCloseTimeoutMs: 60_000, bufferSizeBytes: 100_000_000 };
  const { endpoint, near, budget, clock, summary } = await join(t, { reading: false, limits });
  endpoint.socket.write(pattern(5, 0, 24_000_000));
  while (near.endpoint.bytesRead < 24_000_000) await once(near.endpoint, 'data');
  endpoint.resets();
  await once(near.endpoint, 'close').catch(() => undefined);
  assert.ok(budget.held > 0);
  clock.advance(59_999);
  await turn();
  assert.equal(near.client.destroyed, false);
  clock.advance(1);
  const { close, tx } = await summary;
  assert.deepEqual([close.reason, close.by], ['reset', 'endpoint']);
  assert.ok(tx < 24_000_000);
});

test('both sides reset at once', async (t) => {
  const { client, endpoint, summary } = await join(t);
  client.resets();
  endpoint.resets();
  const { close } = await summary;
  assert.equal(close.reason, 'reset');
});

test('resets in mid-stream, at any moment, leave nothing and cut nothing but the tail', async (t) => {
  const before = openHandles();
  for (let turns = 0; turns < 40; turns++) {
    const joined = await join(t, { limits: { resetLingerMs: 0 } });
    const { client, endpoint, summary, clock } = joined;
    for (const { socket } of [client, endpoint]) socket.on('error', () => undefined);
    client.socket.write(pattern(6, 0, 300_000));
    endpoint.socket.write(pattern(7, 0, 300_000));
    for (let i = 0; i < turns; i++) await turn();
    (turns % 2 === 0 ? client : endpoint).resets();
    await Promise.all([client.outcome, endpoint.outcome]);
    for (let closed = false; !closed; ) {
      clock.advance(1);
      closed = await Promise.race([summary.then(() => true), turn().then(() => false)]);
    }
    assert.ok(endpoint.received.equals(pattern(6, 0, endpoint.length)));
    assert.ok(client.received.equals(pattern(7, 0, client.length)));
    assert.equal(joined.budget.held, 0);
    for (const { socket } of [client, endpoint]) socket.destroy();
  }
  await handlesGone(before);
});

test('a socket that was destroyed before the stream was opened counts as reset', async (t) => {
  for (const side of ['client', 'endpoint'] as const)
    for (const awaited of [false, true]) {
      const sockets = { client: await connectPlain('far'), endpoint: await connectPlain('near') };
      sockets[side].near.on('error', () => undefined);
      sockets[side].near.destroy(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
      if (awaited) await new Promise((resolve) => sockets[side].near.on('close', resolve));
      const joined = await join(t, sockets);
      joined.clock.advance(0);
      const { close, endpointFirst } = await joined.summary;
      assert.deepEqual(close, { reason: 'reset', by: side, detail: 'ECONNRESET' });
      assert.equal(endpointFirst, side === 'endpoint');
      const other = side === 'client' ? joined.endpoint : joined.client;
      assert.equal(await other.outcome, 'ECONNRESET');
    }
});

test('both sockets destroyed before the stream was opened', async (t) => {
  const sockets = { client: await connectPlain('far'), endpoint: await connectPlain('near') };
  for (const { near } of Object.values(sockets)) near.destroy();
  await once(sockets.client.near, 'close');
  const { clock, summary } = await join(t, sockets);
  clock.advance(0);
  assert.deepEqual((await summary).close, { reason: 'reset', by: 'client' });
});

test('what a socket had read before it failed is delivered, though the stream was opened later', async (t) => {
  const endpoint = await connectPlain('near');
  endpoint.far.write('goodbye');
  await once(endpoint.near, 'readable');
  endpoint.near.on('error', () => undefined);
  endpoint.near.destroy(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
  const { client, clock } = await join(t, { endpoint });
  clock.advance(0);
  assert.equal(await client.outcome, 'end');
  assert.equal(client.text, 'goodbye');
});

test('an abort cuts both sides and tells the reason it was given', async (t) => {
  const { client, endpoint, stream, summary } = await join(t);
  await client.says('hello');
  await endpoint.gets(5);
  const close = { reason: 'shutdown', by: 'proxy', limit: '10000ms' } as const;
  stream.abort(close);
  assert.deepEqual((await summary).close, close);
  assert.equal((await summary).endpointFirst, false);
  await Promise.all([client.outcome, endpoint.outcome]);
});

test('goes on at once with what a paused side had read, lest it fail and lose it', async () => {
  const sockets = { client: new FakeSocket(), endpoint: new FakeSocket() };
  const timers = makeTimers(makeHandClock().scheduler);
  const stream = openDuplex(sockets.client, sockets.endpoint, {
    limits: { ...NO_LIMITS, bufferSizeBytes: 1 },
    timers,
    budget: makeBudget(1000),
    answered: () => undefined,
    closed: () => undefined,
  });
  sockets.endpoint.block();
  sockets.client.arrive(pattern(9, 0, 10));
  await turn();
  sockets.client.arrive(pattern(9, 10, 10));
  await turn();
  assert.deepEqual([stream.rx, sockets.client.readableLength], [10, 10]);
  sockets.endpoint.admit(10);
  assert.equal(stream.rx, 20);
  stream.abort({ reason: 'shutdown', by: 'proxy' });
});

test('a socket whose end is on its way is closed all the same', async (t) => {
  for (const connect of [connectPlain, connectTls]) {
    const { near, far } = await connect('near');
    t.after(() => far.destroy());
    far.on('error', () => undefined);
    const closed = once(near, 'close');
    near.end('last words');
    resetSocket(near);
    resetSocket(near);
    await closed;
  }
});
