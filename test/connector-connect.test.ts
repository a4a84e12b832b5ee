/** Dials: each comes to one outcome or is dropped, and gives back all that it took. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { makeAddress } from '../src/address.ts';
import { makeDialer } from './support/dialing.ts';
import { eventually } from './support/eventually.ts';
import { hear, say } from './support/hearer.ts';
import { makeScope } from './support/process.ts';
import { handlesGone, onBoth, openHandles, turn } from './support/sockets.ts';
import { startEcho, startRefusing, startServer } from './support/tcp.ts';

onBoth(
  'a dial that succeeds hands over a socket that half-closes and is no longer the dial’s',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { begin, descriptors, timers } = makeDialer(scope, { sockets });
    const { told, drop, outcome } = begin(await startEcho(scope));
    assert.deepEqual(told, [], 'never synchronously');
    assert.equal(descriptors.held, 1);
    const connected = await outcome();
    assert.ok(connected.t === 'connected');
    const { socket } = connected;
    assert.equal(timers.size(), 0, 'its limit is gone');
    drop();
    const hearer = hear(socket);
    say(socket, 'question');
    socket.end();
    await hearer.end();
    assert.equal(hearer.text, 'question', 'what is handed over is not dropped');
    assert.equal(descriptors.held, 1);
    socket.destroy();
    assert.equal(descriptors.held, 0);
    assert.equal(told.length, 1);
  },
);

onBoth(
  'a socket that is handed over fails to its new owner alone, and gives its account back',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const resetting = await startServer(scope, (socket) =>
      socket.once('data', () => socket.resetAndDestroy()),
    );
    const { begin, descriptors } = makeDialer(scope, { sockets });
    const { told, outcome } = begin(resetting);
    const connected = await outcome();
    assert.ok(connected.t === 'connected');
    const hearer = hear(connected.socket);
    say(connected.socket, 'provoke');
    assert.equal(await hearer.failure(), 'ECONNRESET');
    assert.equal(descriptors.held, 0);
    assert.equal(told.length, 1, 'the dial is over');
  },
);

onBoth('a socket that nobody has taken over yet fails quietly', async (t, { sockets }) => {
  const scope = makeScope(t);
  const resetting = await startServer(scope, (socket) =>
    socket.once('data', () => socket.resetAndDestroy()),
  );
  const { begin, descriptors } = makeDialer(scope, { sockets });
  const { told, outcome } = begin(resetting);
  const connected = await outcome();
  assert.ok(connected.t === 'connected');
  connected.socket.read();
  say(connected.socket, 'provoke');
  await eventually('closed', () => descriptors.held === 0);
  assert.equal(connected.socket.isOpen, false);
  assert.equal(told.length, 1);
});

onBoth('the time a dial took is told in µs', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { begin, clock } = makeDialer(scope, { sockets });
  const { outcome } = begin(await startEcho(scope));
  clock.advance(12);
  const connected = await outcome();
  assert.equal(connected.t === 'connected' && connected.us, 12_000);
});

onBoth('a port where nobody listens refuses', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { begin, descriptors, timers } = makeDialer(scope, { sockets });
  const { outcome } = begin(await startRefusing(scope));
  assert.deepEqual(await outcome(), {
    t: 'connectFailed',
    cause: 'refused',
    detail: 'ECONNREFUSED',
  });
  assert.equal(timers.size(), 0);
  await eventually('closed', () => descriptors.held === 0);
});

onBoth('a dial ends at its limit, not before, and its socket closes', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { begin, clock, descriptors } = makeDialer(scope, { sockets });
  const { told } = begin(await startEcho(scope), { connectTimeoutMs: 200 });
  clock.advance(199);
  assert.deepEqual(told, []);
  clock.advance(1);
  const timeout = { t: 'connectFailed', cause: 'timeout', detail: 'no connection in 200ms' };
  assert.deepEqual(told, [timeout]);
  await eventually('closed', () => descriptors.held === 0);
  assert.deepEqual(told, [timeout], 'it is told once');
});

onBoth(
  'a dial that is dropped tells nothing and leaves nothing, at any moment',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { begin, descriptors, timers } = makeDialer(scope, { sockets });
    const port = await startEcho(scope);
    const before = openHandles();
    const dials = Array.from({ length: 200 }, () => begin(port));
    for (const [i, { drop }] of dials.entries()) {
      drop();
      if (i % 50 === 49) await turn();
    }
    for (const { drop } of dials) drop();
    // Those that were established before their turn came are the test’s own.
    for (const outcome of dials.flatMap(({ told }) => told))
      if (outcome.t === 'connected') outcome.socket.destroy();
    await eventually('closed', () => descriptors.held === 0);
    assert.equal(timers.size(), 0);
    for (const { told } of dials)
      assert.ok(
        told.every((outcome) => outcome.t === 'connected'),
        'no failure is made up',
      );
    await handlesGone(before);
  },
);

onBoth('without a descriptor left a dial fails as our own trouble', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { begin, clock, descriptors } = makeDialer(scope, { sockets, limit: 1 });
  const port = await startEcho(scope);
  const first = begin(port);
  const second = begin(port);
  assert.deepEqual(second.told, [], 'never synchronously');
  clock.advance(0);
  assert.deepEqual(second.told, [
    { t: 'connectFailed', cause: 'local', detail: 'no file descriptor left' },
  ]);
  const dropped = begin(port);
  dropped.drop();
  clock.advance(0);
  assert.deepEqual(dropped.told, []);
  const outcome = await first.outcome();
  assert.ok(outcome.t === 'connected');
  outcome.socket.destroy();
  await eventually('closed', () => descriptors.held === 0);
  assert.equal((await begin(port).outcome()).t, 'connected');
});

/** What no dial can be begun to: Node checks the port, the platform the address. */
const IMPOSSIBLE = {
  handle: { ip: 'nonsense', port: 1, detail: 'EINVAL' },
  stream: { ip: '127.0.0.1', port: 70_000, detail: 'ERR_SOCKET_BAD_PORT' },
};

onBoth('an error that is thrown at once is an outcome too', async (t, { sockets }) => {
  const { begin, clock, descriptors, timers } = makeDialer(makeScope(t), { sockets });
  const { ip, port, detail } = IMPOSSIBLE[sockets.kind];
  assert.throws(() => sockets.dial(makeAddress(ip, port), () => undefined), { code: detail });
  const before = openHandles();
  const { told } = begin(port, {}, ip);
  assert.deepEqual(told, [], 'never synchronously');
  clock.advance(0);
  assert.deepEqual(told, [{ t: 'connectFailed', cause: 'other', detail }]);
  assert.equal(descriptors.held, 0);
  assert.equal(timers.size(), 0);
  // Node itself leaves a handle without a socket there, to be collected.
  if (sockets.kind === 'handle') await handlesGone(before);
});

onBoth(
  'a dial that the system refuses to begin is dropped as quietly as any',
  async (t, { sockets }) => {
    const { begin, clock, descriptors, timers } = makeDialer(makeScope(t), { sockets });
    // TCP knows no broadcast: connect() itself fails.
    const dropped = begin(9, {}, '255.255.255.255');
    dropped.drop();
    const { told, outcome } = begin(9, {}, '255.255.255.255');
    assert.deepEqual(told, [], 'never synchronously');
    await turn();
    clock.advance(0);
    const failed = await outcome();
    assert.ok(failed.t === 'connectFailed');
    assert.match(failed.detail, /^E(?:ACCES|NETUNREACH)$/);
    assert.equal(failed.cause, 'other');
    assert.deepEqual(dropped.told, []);
    await eventually('closed', () => descriptors.held === 0);
    assert.equal(timers.size(), 0);
  },
);

onBoth('IPv6 endpoints are dialed by their address', async (t, { sockets }) => {
  const scope = makeScope(t);
  const server = net.createServer((socket) => socket.end('six')).listen(0, '::1');
  await once(server, 'listening');
  scope.after(() => {
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const outcome = await makeDialer(scope, { sockets }).begin(address.port, {}, '::1').outcome();
  assert.ok(outcome.t === 'connected');
  assert.equal(await hear(outcome.socket).gets(3), 'six');
});
