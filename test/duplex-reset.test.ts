/** What the socket pipe does when a side is reset, fails or vanishes, at any moment. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { BufferBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import { fresh } from '../src/socket/read-ahead.ts';
import { StreamSocket } from '../src/socket/stream-socket.ts';
import { makeTimers } from '../src/timers.ts';
import { FakeSocket } from './support/fake-socket.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { makeScope } from './support/process.ts';
import {
  connectPlain,
  fill,
  handlesGone,
  join,
  NO_LIMITS,
  onBoth,
  openHandles,
  pattern,
  readFrom,
  STREAMS,
  socketAccount,
  stuck,
  turn,
  Waiting,
} from './support/sockets.ts';
import { startServer } from './support/tcp.ts';

onBoth('a reset by the endpoint before any byte is passed on (case 15)', async (t, { join }) => {
  const { client, endpoint, summary } = await join(t);
  endpoint.resets();
  assert.equal(await client.outcome, 'ECONNRESET');
  const { close, endpointFirst, rx, tx } = await summary;
  assert.deepEqual(close, { reason: 'reset', by: 'endpoint', detail: 'ECONNRESET' });
  assert.deepEqual([endpointFirst, rx, tx], [true, 0, 0]);
});

onBoth('a reset by the client is passed on', async (t, { join }) => {
  const { client, endpoint, summary } = await join(t);
  client.resets();
  assert.equal(await endpoint.outcome, 'ECONNRESET');
  const { close, endpointFirst } = await summary;
  assert.deepEqual(close, { reason: 'reset', by: 'client', detail: 'ECONNRESET' });
  assert.equal(endpointFirst, false);
});

onBoth(
  'a reset by an endpoint that has read, and never answered, is passed on',
  async (t, { join }) => {
    const { client, endpoint } = await join(t);
    await client.says('question');
    await endpoint.gets(8);
    endpoint.resets();
    assert.equal(await client.outcome, 'ECONNRESET');
  },
);

onBoth('a reset long after the last answer is passed on', async (t, { join }) => {
  const { client, endpoint, clock } = await join(t);
  await endpoint.says('answer');
  await client.gets(6);
  clock.advance(100);
  endpoint.resets();
  assert.equal(await client.outcome, 'ECONNRESET');
});

onBoth(
  'a reset right after the answer leaves the answer whole, and ends it (case 16)',
  async (t, { join }) => {
    const { client, endpoint, clock, timers, summary } = await join(t);
    await endpoint.says('answer');
    await client.gets(6);
    clock.advance(99);
    endpoint.resets();
    assert.equal(await client.outcome, 'end');
    assert.equal(client.text, 'answer');
    // The client need not end too: what the system holds for it counts for resetLingerMs only.
    while (timers.size() === 0) await turn();
    clock.advance(100);
    const { close, tx } = await summary;
    assert.deepEqual(
      [close.reason, close.by, close.detail, tx],
      ['reset', 'endpoint', 'ECONNRESET', 6],
    );
  },
);

onBoth(
  'a reset does not discard an answer that the client has still to read (case 16)',
  async (t, { join }) => {
    const joined = await join(t, { reading: false });
    const { client, endpoint, clock, summary } = joined;
    const answer = pattern(1, 0, 24_000_000);
    endpoint.socket.write(answer);
    endpoint.socket.on('error', () => undefined);
    await stuck(joined, 'client');
    const read = readFrom(joined, 'endpoint');
    assert.ok(read > 262_144);
    endpoint.socket.resetAndDestroy();
    await turn();
    clock.advance(60_000);
    client.read();
    assert.equal(await client.outcome, 'end');
    assert.ok(client.length >= read, `${client.length} of ${read}`);
    assert.ok(client.received.equals(answer.subarray(0, client.length)));
    client.socket.end();
    const { close, tx } = await summary;
    assert.deepEqual([close.reason, close.by, tx], ['reset', 'endpoint', client.length]);
  },
);

test('what Node had read from a paused side before it failed is still delivered', async (t) => {
  let taken: (far: Socket) => void = () => undefined;
  const accepted = new Promise<Socket>((resolve) => {
    taken = resolve;
  });
  const port = await startServer(makeScope(t), (socket) => taken(socket));
  const raw = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const far = await accepted;
  const inbound = await connectPlain('far', STREAMS);
  const outbound = { near: new StreamSocket(raw, socketAccount), far, transport: far };
  const sides = { client: inbound, endpoint: outbound };
  const joined = await join(t, { ...sides, reading: false });
  const { client, endpoint, summary } = joined;
  const answer = pattern(2, 0, 24_000_000);
  endpoint.socket.on('error', () => undefined);
  endpoint.socket.write(answer);
  await stuck(joined, 'client');
  assert.ok(raw.readableLength > 0);
  const read = raw.bytesRead;
  raw.destroy(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
  client.read();
  assert.equal(await client.outcome, 'end');
  assert.equal(client.length, read);
  assert.ok(client.received.equals(answer.subarray(0, read)));
  client.socket.end();
  assert.equal((await summary).tx, read);
});

onBoth('after a half-close, a reset of either side still ends both', async (t, { join }) => {
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

onBoth('a side that ends and then vanishes under its answer is a reset', async (t, { join }) => {
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

onBoth(
  'a client that vanishes while the endpoint is held back leaves nothing',
  async (t, { join }) => {
    const before = openHandles();
    const joined = await join(t, { reading: false });
    const { client, endpoint, budget, summary, clock } = joined;
    endpoint.read();
    endpoint.socket.on('error', () => undefined);
    const flood = setInterval(() => endpoint.socket.write(pattern(4, 0, 1_000_000)), 1);
    await stuck(joined, 'client');
    assert.ok(budget.held > 0);
    client.resets();
    const { close, tx } = await summary;
    clearInterval(flood);
    assert.deepEqual([close.reason, close.by], ['reset', 'client']);
    assert.ok(tx > 0);
    assert.equal(budget.held, 0);
    clock.advance(0);
    assert.equal(await endpoint.outcome, 'ECONNRESET');
    await handlesGone(before);
  },
);

onBoth(
  'a client that goes on sending after its endpoint is gone is cut when nothing is owed any more',
  async (t, { join }) => {
    const { client, endpoint, near, clock, timers, summary, stream } = await join(t);
    client.socket.on('error', () => undefined);
    await endpoint.says('answer');
    await client.gets(6);
    endpoint.resets();
    while (timers.size() === 0) await turn();
    const { rx } = stream;
    await client.says('to nobody');
    for (let i = 0; i < 10; i++) await turn();
    assert.equal(near.client.isOpen, true);
    clock.advance(100);
    assert.equal((await summary).rx, rx);
  },
);

onBoth('bytes that wait in the stream are owed however long they wait', async (t, { join }) => {
  const joined = await join(t, { reading: false });
  const { client, endpoint, near, clock } = joined;
  const length = await fill(joined, 'endpoint', 8);
  clock.advance(3600_000);
  endpoint.resets();
  for (let i = 0; i < 10; i++) await turn();
  // A side whose reads are paused is found to be gone when it is read again.
  assert.equal(near.client.isOpen, true);
  client.read();
  assert.equal(await client.outcome, 'end');
  assert.ok(client.received.equals(pattern(8, 0, length)));
});

test('one that is owed bytes and never takes them is cut by the half-close limit', async (t) => {
  const limits = { halfCloseTimeoutMs: 60_000 };
  const joined = await join(t, { sockets: STREAMS, reading: false, limits });
  const { endpoint, near, budget, clock, timers, summary } = joined;
  const length = await fill(joined, 'endpoint', 5);
  endpoint.resets();
  while (timers.size() === 0) await turn();
  assert.ok(budget.held > 0);
  clock.advance(59_999);
  await turn();
  assert.equal(near.client.isOpen, true);
  clock.advance(1);
  const { close, tx } = await summary;
  assert.deepEqual([close.reason, close.by], ['reset', 'endpoint']);
  assert.ok(tx < length);
});

// A handle that is held back is not read, so that its reset is not seen before the idle limit.
onBoth(
  'nobody waits for ever for one that takes nothing, though the other has reset',
  async (t, { join }) => {
    const joined = await join(t, { reading: false, limits: { idleTimeoutMs: 600_000 } });
    const { endpoint, near, budget, clock, summary } = joined;
    endpoint.socket.on('error', () => undefined);
    endpoint.socket.write(pattern(5, 0, 24_000_000));
    await stuck(joined, 'client');
    endpoint.resets();
    await turn();
    clock.advance(599_999);
    await turn();
    assert.equal(near.client.isOpen, true);
    clock.advance(1);
    await summary;
    assert.equal(budget.held, 0);
  },
);

onBoth('both sides reset at once', async (t, { join }) => {
  const { client, endpoint, summary } = await join(t);
  client.resets();
  endpoint.resets();
  const { close } = await summary;
  assert.equal(close.reason, 'reset');
});

onBoth(
  'resets in mid-stream, at any moment, leave nothing and cut nothing but the tail',
  async (t, { join }) => {
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
  },
);

onBoth(
  'what a side had said before the stream was opened is delivered, though it fails at once',
  async (t, { join, connectPlain }) => {
    const [inbound, endpoint] = [await connectPlain('far'), await connectPlain('near')];
    const waiting = new Waiting(endpoint.near);
    waiting.begin();
    endpoint.far.write('goodbye');
    while (waiting.said.length === 0) await turn();
    endpoint.far.resetAndDestroy();
    const { client, clock, summary } = await join(t, {
      client: inbound,
      endpoint,
      begun: { endpoint: waiting },
    });
    assert.equal(await client.outcome, 'end');
    assert.equal(client.text, 'goodbye');
    client.socket.end();
    clock.advance(100);
    const { close, tx } = await summary;
    assert.deepEqual([close, tx], [{ reason: 'reset', by: 'endpoint', detail: 'ECONNRESET' }, 7]);
  },
);

onBoth('an abort cuts both sides and tells the reason it was given', async (t, { join }) => {
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
  const client = fresh(new StreamSocket(sockets.client, socketAccount));
  const endpoint = new StreamSocket(sockets.endpoint, socketAccount);
  const stream = openDuplex(client, fresh(endpoint), {
    limits: NO_LIMITS,
    timers,
    budget: new BufferBudget(1_000_000, timers),
    answered: () => undefined,
    closed: () => undefined,
  });
  const length = endpoint.slack + 1;
  sockets.endpoint.block();
  sockets.client.arrive(pattern(9, 0, length));
  await turn();
  sockets.client.arrive(pattern(9, length, 10));
  await turn();
  assert.deepEqual([stream.rx, sockets.client.readableLength], [length, 10]);
  sockets.endpoint.admit(length);
  assert.equal(stream.rx, length + 10);
  stream.abort({ reason: 'shutdown', by: 'proxy' });
});

onBoth(
  'a socket whose end is on its way is closed all the same',
  async (t, { connectPlain, connectTls }) => {
    for (const connect of [connectPlain, connectTls]) {
      const before = openHandles();
      const { near, far } = await connect('near');
      t.after(() => far.destroy());
      let released = 0;
      near.released = () => {
        released += 1;
      };
      const closed = once(far.on('error', () => undefined).resume(), 'close');
      near.write(Buffer.from('last words'), 10, true);
      near.end();
      near.reset();
      near.reset();
      assert.deepEqual([near.isOpen, released], [false, 1]);
      far.end();
      await closed;
      await handlesGone(before);
    }
  },
);
