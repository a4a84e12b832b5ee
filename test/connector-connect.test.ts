/** Dials: each comes to one outcome or is dropped, and gives back all that it took. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { makeDialer } from './support/dialing.ts';
import { eventually, within } from './support/eventually.ts';
import { freePort, makeScope } from './support/process.ts';
import { handlesGone, openHandles, turn } from './support/sockets.ts';
import { startEcho, startServer } from './support/tcp.ts';

test('a dial that succeeds hands over a socket that half-closes and is no longer the dial’s', async (t) => {
  const scope = makeScope(t);
  const { begin, descriptors, timers } = makeDialer(scope);
  const { told, drop, outcome } = begin(await startEcho(scope));
  assert.deepEqual(told, [], 'never synchronously');
  assert.equal(descriptors.held, 1);
  const connected = await outcome();
  assert.ok(connected.t === 'connected');
  const { socket } = connected;
  assert.equal(timers.size(), 0, 'its limit is gone');
  drop();
  socket.end('question');
  const [text] = await within('an answer', once(socket, 'data'));
  assert.equal(String(text), 'question', 'what is handed over is not dropped');
  await eventually('closed', () => descriptors.held === 0);
  assert.equal(told.length, 1);
});

test('a socket that is handed over fails quietly, and carries nothing but that and its account', async (t) => {
  const scope = makeScope(t);
  const resetting = await startServer(scope, (socket) =>
    socket.once('data', () => socket.resetAndDestroy()),
  );
  const { begin, descriptors } = makeDialer(scope);
  const outcome = await begin(resetting).outcome();
  assert.ok(outcome.t === 'connected');
  const { socket } = outcome;
  const counts = ['error', 'close', 'connect', 'secureConnect'].map((event) =>
    socket.listenerCount(event),
  );
  assert.deepEqual(counts, [1, 1, 0, 0]);
  socket.write('provoke');
  await eventually('closed', () => descriptors.held === 0);
  assert.equal(socket.errored?.message, 'read ECONNRESET');
});

test('the time a dial took is told in µs', async (t) => {
  const scope = makeScope(t);
  const { begin, clock } = makeDialer(scope);
  const { outcome } = begin(await startEcho(scope));
  clock.advance(12);
  const connected = await outcome();
  assert.equal(connected.t === 'connected' && connected.us, 12_000);
});

test('a port where nobody listens refuses', async (t) => {
  const scope = makeScope(t);
  const { begin, descriptors, timers } = makeDialer(scope);
  const { outcome } = begin(await freePort());
  assert.deepEqual(await outcome(), {
    t: 'connectFailed',
    cause: 'refused',
    detail: 'ECONNREFUSED',
  });
  assert.equal(timers.size(), 0);
  await eventually('closed', () => descriptors.held === 0);
});

test('a dial ends at its limit, not before, and its socket closes', async (t) => {
  const scope = makeScope(t);
  const { begin, clock, descriptors } = makeDialer(scope);
  const { told } = begin(await startEcho(scope), { connectTimeoutMs: 200 });
  clock.advance(199);
  assert.deepEqual(told, []);
  clock.advance(1);
  const timeout = { t: 'connectFailed', cause: 'timeout', detail: 'no connection in 200ms' };
  assert.deepEqual(told, [timeout]);
  await eventually('closed', () => descriptors.held === 0);
  assert.deepEqual(told, [timeout], 'it is told once');
});

test('a dial that is dropped tells nothing and leaves nothing, at any moment', async (t) => {
  const scope = makeScope(t);
  const { begin, descriptors, timers } = makeDialer(scope);
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
});

test('without a descriptor left a dial fails as our own trouble', async (t) => {
  const scope = makeScope(t);
  const { begin, clock, descriptors } = makeDialer(scope, 1);
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

test('an error that is thrown at once is an outcome too', async (t) => {
  const { begin, clock, descriptors, timers } = makeDialer(makeScope(t));
  const { told } = begin(70_000);
  assert.deepEqual(told, [], 'never synchronously');
  clock.advance(0);
  assert.deepEqual(told, [{ t: 'connectFailed', cause: 'other', detail: 'ERR_SOCKET_BAD_PORT' }]);
  assert.equal(descriptors.held, 0);
  assert.equal(timers.size(), 0);
});

test('IPv6 endpoints are dialed by their address', async (t) => {
  const scope = makeScope(t);
  const server = net.createServer((socket) => socket.end('six')).listen(0, '::1');
  await once(server, 'listening');
  scope.after(() => {
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const outcome = await makeDialer(scope).begin(address.port, {}, '::1').outcome();
  assert.ok(outcome.t === 'connected');
  const [text] = await within('bytes', once(outcome.socket, 'data'));
  assert.equal(String(text), 'six');
});
