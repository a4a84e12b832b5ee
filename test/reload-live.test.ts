/** Reload while 1,000 streams move data: nothing is lost, and only what changed changes, for new connections. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { freePort, makeScope } from './support/process.ts';
import { route } from './support/route.ts';
import { dropPeers, openPeer, openPeers, type Peer, refused, startNamed } from './support/tcp.ts';

const STREAMS = 1000;
const CHUNK = 512;
const scope = makeScope({ after });
let daemon: Daemon;
let ports: { readonly a: number; readonly b: number; readonly web: number; readonly extra: number };

before(async () => {
  ports = {
    a: await startNamed(scope, 'A'),
    b: await startNamed(scope, 'B'),
    web: await freePort(),
    extra: await freePort(),
  };
  daemon = await startDaemon(scope, configured([ports.a]));
});

/** The config of the moment: which endpoints, what limits, whether the second server is there. */
const configured = (
  endpoints: readonly number[],
  server: object = {},
  withExtra = true,
): object => {
  const web = route('web', endpoints, { server: { port: ports.web, ...server } });
  const extra = route('extra', endpoints, { server: { port: ports.extra } });
  return { routers: withExtra ? [web, extra] : [web] };
};

/** A stream that says without a pause what only it can say, and checks that it all comes back in order. */
const stream = (peer: Peer, id: number) => {
  let stopped = false;
  let rounds = 0;
  const run = async (): Promise<number> => {
    while (!stopped) {
      const said = `${id}:${rounds}:`.padEnd(CHUNK, String(rounds % 10));
      assert.equal(await peer.echo(said), said);
      rounds++;
    }
    return rounds;
  };
  return {
    rounds: () => rounds,
    done: run(),
    stop: () => {
      stopped = true;
    },
  };
};

const openStreams = async (port: number, name: string): Promise<readonly Peer[]> => {
  const peers = await openPeers(port, STREAMS);
  scope.after(() => dropPeers(peers));
  const names = await Promise.all(peers.map((peer) => peer.read(1)));
  assert.ok(names.every((text) => text === name));
  return peers;
};

/** Runs `reload` in the middle of 1,000 busy streams; each of them goes on before and after it. */
const whileStreaming = async (
  peers: readonly Peer[],
  reload: () => Promise<void>,
): Promise<void> => {
  const streams = peers.map(stream);
  const allMove = async (): Promise<void> => {
    const from = streams.map(({ rounds }) => rounds());
    await eventually('every stream moves on', () =>
      streams.every(({ rounds }, i) => rounds() > (from[i] ?? 0)),
    );
  };
  await allMove();
  await reload();
  await allMove();
  for (const { stop } of streams) stop();
  await Promise.all(streams.map(({ done }) => done));
};

const nameNow = async (port: number): Promise<string> => {
  const peer = await openPeer(port);
  const name = await peer.read(1);
  await dropPeers([peer]);
  return name;
};

const openNow = async (label: string): Promise<number> => {
  const routers = await daemon.routers();
  const servers = routers.find((router) => router.label === label)?.servers ?? [];
  return servers.reduce((sum, { active }) => sum + active, 0);
};

test('reloads by signal and by request lose nothing of 1,000 live streams', async () => {
  const peers = await openStreams(ports.web, 'A');
  await whileStreaming(peers, async () => {
    await daemon.rewrite(configured([ports.b]));
    daemon.signal('SIGHUP');
    await eventually(
      'newcomers reach the new endpoint',
      async () => (await nameNow(ports.web)) === 'B',
    );
  });
  await whileStreaming(peers, async () => {
    await daemon.rewrite(configured([ports.a]));
    assert.equal((await daemon.post('/reload')).status, 200);
    assert.equal(await nameNow(ports.web), 'A');
  });
  await dropPeers(peers);
  await eventually('nothing is left of them', async () => (await openNow('web')) === 0);
});

test('changed limits hold for new connections only', async () => {
  const [old, other] = await openPeers(ports.web, 2);
  await old?.read(1);
  await other?.read(1);
  await daemon.rewrite(configured([ports.a], { idleTimeoutMs: 300 }));
  assert.equal((await daemon.post('/reload')).status, 200);
  const fresh = await openPeer(ports.web);
  await fresh.read(1);
  await fresh.ended();
  // The fresh one was cut for its silence; the old ones have been silent for longer.
  assert.equal(await old?.echo('still here'), 'still here');
  assert.equal(await other?.echo('still here'), 'still here');
  const line = await daemon.logged(({ reason = '' }) => reason.startsWith('idle-timeout 300ms'));
  assert.match(line.reason ?? '', /^idle-timeout 300ms routers\[0\]\.servers\[0\]/);
  await dropPeers([old, other].filter((peer) => peer !== undefined));
});

test('a server that leaves the config stops listening, and its 1,000 streams live on', async () => {
  const peers = await openStreams(ports.extra, 'A');
  await whileStreaming(peers, async () => {
    await daemon.rewrite(configured([ports.a], {}, false));
    assert.equal((await daemon.post('/reload')).status, 200);
    await refused(ports.extra);
    assert.equal(await nameNow(ports.web), 'A');
  });
  await dropPeers(peers);
  await daemon.rewrite(configured([ports.a]));
  assert.equal((await daemon.post('/reload')).status, 200);
  assert.equal(await nameNow(ports.extra), 'A');
});

test('a bad file changes nothing, and its errors are told once', async () => {
  const peer = await openPeer(ports.web);
  await peer.read(1);
  const from = daemon.log.length;
  await daemon.rewrite('routers: [{label: web, servers: [{prot: 1}]}]');
  daemon.signal('SIGHUP');
  const errors = () => daemon.log.slice(from).filter(({ level }) => level === 'error');
  await daemon.logged(({ level }) => level === 'error', from);
  const answer = await daemon.post('/reload');
  assert.ok(answer.status >= 400 && answer.status < 600, `${answer.status}`);
  assert.match(answer.body, /routers\[0\]\.servers\[0\]\.prot/);
  const places = errors().filter((line) => JSON.stringify(line).includes('servers[0].prot'));
  assert.ok(places.length >= 1 && places.length <= 2, 'once for each reload');
  assert.equal(await peer.echo('still here'), 'still here');
  assert.equal(await nameNow(ports.web), 'A');
  assert.equal(await nameNow(ports.extra), 'A');
  await dropPeers([peer]);
});

test('a port that cannot be had leaves the old config running, listeners and all', async () => {
  const from = daemon.log.length;
  const taken = route('web', [ports.b], { server: { port: ports.web } });
  const blocked = route('blocked', [ports.b], { server: { port: ports.a } });
  await daemon.rewrite({ routers: [taken, blocked] });
  const answer = await daemon.post('/reload');
  assert.ok(answer.status >= 400, `${answer.status}`);
  assert.match(answer.body, /EADDRINUSE|in use/i);
  await daemon.logged(({ level }) => level === 'error', from);
  assert.equal(await nameNow(ports.web), 'A');
  assert.equal(await nameNow(ports.extra), 'A');
});
