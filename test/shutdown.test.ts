/** The end of the daemon: it stops accepting, waits for streams up to its grace, and says so by its exit code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { makeScope, type Scope } from './support/process.ts';
import { route } from './support/route.ts';
import { dropPeers, openPeer, openPeers, refused, startEcho } from './support/tcp.ts';

const start = async (scope: Scope, graceSecs: number): Promise<Daemon> =>
  startDaemon(scope, {
    admin: { port: 0, graceSecs },
    routers: [route('echo', [await startEcho(scope)])],
  });

const STREAMS = 100;

const openStreams = async (daemon: Daemon) => {
  const peers = await openPeers(daemon.ports[0] ?? 0, STREAMS);
  await Promise.all(peers.map((peer) => peer.echo('hello')));
  return peers;
};

test('POST /shutdown: 100 live streams finish, and the exit code is 0', async (t) => {
  const daemon = await start(makeScope(t), 60);
  const peers = await openStreams(daemon);
  assert.equal((await daemon.post('/shutdown')).status, 200);
  await refused(daemon.ports[0] ?? 0);
  const answers = await Promise.all(peers.map((peer, i) => peer.echo(`${i} goes on`)));
  assert.deepEqual(
    answers,
    peers.map((_, i) => `${i} goes on`),
  );
  for (const { socket } of peers) socket.end();
  const endings = await Promise.all(peers.map(({ ended }) => ended()));
  assert.ok(endings.every(({ error }) => error === undefined));
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});

test('SIGTERM: what lives longer than the grace is cut, and the exit code is 0', async (t) => {
  const daemon = await start(makeScope(t), 1);
  const peers = await openStreams(daemon);
  daemon.signal('SIGTERM');
  await Promise.all(peers.map(({ ended }) => ended()));
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
  const cut = daemon.log.filter(({ reason = '' }) => reason.startsWith('shutdown 1000ms'));
  assert.equal(cut.length, STREAMS);
});

test('without a stream the daemon ends at once', async (t) => {
  const daemon = await start(makeScope(t), 3600);
  const peer = await openPeer(daemon.ports[0] ?? 0);
  await peer.echo('hello');
  await dropPeers([peer]);
  daemon.signal('SIGINT');
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});

test('grace 0 cuts at once', async (t) => {
  const daemon = await start(makeScope(t), 0);
  await openStreams(daemon);
  daemon.signal('SIGTERM');
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});

for (const first of ['SIGTERM', 'SIGINT'] as const) {
  test(`a second signal after ${first} ends at once, whatever the grace`, async (t) => {
    const daemon = await start(makeScope(t), 3600);
    await openStreams(daemon);
    daemon.signal(first);
    await refused(daemon.ports[0] ?? 0);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.exit(), { code: 1, signal: null });
  });
}

test('POST /abort ends at once with exit code 1', async (t) => {
  const daemon = await start(makeScope(t), 3600);
  await openStreams(daemon);
  await daemon.post('/abort').catch(() => undefined);
  assert.deepEqual(await daemon.exit(), { code: 1, signal: null });
});

test('a client that waits for an endpoint does not hold up the end', async (t) => {
  const scope = makeScope(t);
  const daemon = await startDaemon(scope, {
    admin: { port: 0, graceSecs: 1 },
    routers: [
      route('none', [], {
        server: { connectTimeoutMs: 600_000 },
        client: { emptyWaitMs: 600_000 },
      }),
    ],
  });
  const peer = await openPeer(daemon.ports[0] ?? 0);
  daemon.signal('SIGTERM');
  await peer.ended();
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});
