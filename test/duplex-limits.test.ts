/** The time limits of a stream on real sockets; time is moved by hand. `marbles/deadlines.test.ts` tells the rules. */
import assert from 'node:assert/strict';
import { showClose } from '../src/close-reason.ts';
import { fill, onBoth, pattern, stuck, turn } from './support/sockets.ts';

onBoth(
  'a silent connection is closed after the idle limit, and the reason says so (cases 47, 49)',
  async (t, { join }) => {
    const { client, endpoint, clock, told, summary } = await join(t, {
      limits: { idleTimeoutMs: 600_000 },
    });
    clock.advance(599_999);
    await turn();
    assert.equal(told.closed, 0);
    clock.advance(1);
    const { close, endpointFirst } = await summary;
    assert.equal(showClose(close), 'idle-timeout 600000ms routers[0].servers[0]');
    assert.deepEqual([close.by, endpointFirst], ['proxy', false]);
    await Promise.all([client.outcome, endpoint.outcome]);
  },
);

onBoth('a byte in either direction starts the idle limit again', async (t, { join }) => {
  const { client, endpoint, clock, told, summary } = await join(t, {
    limits: { idleTimeoutMs: 1000 },
  });
  for (let i = 1; i <= 5; i++) {
    clock.advance(999);
    await client.says('x');
    await endpoint.gets(i);
    clock.advance(999);
    await endpoint.says('y');
    await client.gets(i);
  }
  assert.equal(told.closed, 0);
  clock.advance(1000);
  assert.equal((await summary).close.reason, 'idle-timeout');
});

onBoth('bytes that are stuck do not keep a stream alive (case 48)', async (t, { join }) => {
  const joined = await join(t, { reading: false, limits: { idleTimeoutMs: 1000 } });
  const { client, endpoint, clock, budget, summary } = joined;
  endpoint.socket.on('error', () => undefined);
  endpoint.socket.write(pattern(1, 0, 24_000_000));
  await stuck(joined, 'client');
  assert.ok(budget.held > 0);
  clock.advance(1000);
  assert.equal((await summary).close.reason, 'idle-timeout');
  assert.equal(budget.held, 0);
  client.socket.destroy();
});

onBoth(
  'bytes that a slow reader takes from the buffer keep a stream alive',
  async (t, { join }) => {
    const joined = await join(t, { reading: false, limits: { idleTimeoutMs: 1000 } });
    const { client, near, clock, told, summary } = joined;
    await fill(joined, 'endpoint', 1);
    const { queued } = near.client;
    clock.advance(999);
    client.read();
    while (near.client.queued === queued) await turn();
    client.socket.pause();
    clock.advance(999);
    await turn();
    assert.equal(told.closed, 0);
    clock.advance(1000);
    clock.advance(1000);
    assert.equal((await summary).close.reason, 'idle-timeout');
  },
);

onBoth('a busy stream and a quiet one end with their lifetime (case 50)', async (t, { join }) => {
  for (const busy of [false, true]) {
    const { client, endpoint, clock, summary } = await join(t, {
      limits: { lifetimeMs: 3600_000.4, idleTimeoutMs: 4000_000 },
    });
    clock.advance(3600_000);
    if (busy) {
      await client.says('x');
      await endpoint.gets(1);
    }
    clock.advance(1);
    assert.equal(showClose((await summary).close), 'lifetime 3600000ms routers[0].servers[0]');
  }
});

onBoth(
  'what is left half-open is closed when the other side is silent for the half-close limit (case 52)',
  async (t, { join }) => {
    const { client, endpoint, clock, told, summary } = await join(t, {
      limits: { halfCloseTimeoutMs: 60_000 },
    });
    client.socket.end('question');
    assert.equal(await endpoint.outcome, 'end');
    clock.advance(59_999);
    await endpoint.says('part');
    await client.gets(4);
    clock.advance(59_999);
    await turn();
    assert.equal(told.closed, 0);
    clock.advance(1);
    const { close, tx } = await summary;
    assert.equal(showClose(close), 'half-close-timeout 60000ms routers[0].servers[0]');
    assert.equal(tx, 4);
  },
);

onBoth('the half-close limit does not cut a flush that goes on (case 8)', async (t, { join }) => {
  const joined = await join(t, { reading: false, limits: { halfCloseTimeoutMs: 1000 } });
  const { client, endpoint, near, clock, told, timers } = joined;
  client.socket.end();
  while (timers.size() === 0) await turn();
  const length = await fill(joined, 'endpoint', 1);
  const { queued } = near.client;
  clock.advance(999);
  client.read();
  while (near.client.queued === queued) await turn();
  clock.advance(999);
  await turn();
  assert.equal(told.closed, 0);
  endpoint.socket.end();
  assert.equal(await client.outcome, 'end');
  assert.ok(client.received.equals(pattern(1, 0, length)));
});

onBoth(
  'a stream without limits sets no timer, and one that ended leaves none',
  async (t, { join }) => {
    const { client, endpoint, timers, summary } = await join(t);
    assert.equal(timers.size(), 0);
    client.socket.end();
    endpoint.socket.end();
    await summary;
    const limited = await join(t, {
      limits: { idleTimeoutMs: 1, lifetimeMs: 1000, halfCloseTimeoutMs: 1000 },
    });
    assert.equal(limited.timers.size(), 1);
    limited.client.socket.end();
    limited.endpoint.socket.end();
    await limited.summary;
    assert.equal(limited.timers.size(), 0);
  },
);
