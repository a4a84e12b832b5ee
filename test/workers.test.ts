/** The daemon with workers: it serves, is told of and stopped as one, and outlives any of them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Daemon, type LogLine, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { addr, bound, startNamerd } from './support/namerd-double.ts';
import { freePort, makeScope, type Scope } from './support/process.ts';
import { route } from './support/route.ts';
import { dropPeers, openPeer, openPeers, refused, startNamed } from './support/tcp.ts';
import { listensOn, someCpu, workersOf } from './support/worker-processes.ts';

const PEERS = 40;

const bothServe = (daemon: Daemon): Promise<unknown> =>
  Promise.all(
    [0, 1].map((worker) =>
      daemon.logged(
        ({ message, ...fields }) => message === 'listening' && fields['worker'] === worker,
      ),
    ),
  );

const start = async (scope: Scope, config: object): Promise<Daemon> => {
  const daemon = await startDaemon(scope, { workers: 2, ...config });
  await bothServe(daemon);
  return daemon;
};

/** A daemon of two workers with some streams open. */
const streaming = async (scope: Scope) => {
  const daemon = await start(scope, { routers: [route('web', [await startNamed(scope, 'A')])] });
  const [port = 0] = daemon.ports;
  const peers = await openPeers(port, PEERS);
  await Promise.all(peers.map((peer) => peer.read(1)));
  return { daemon, port, peers };
};

test('two workers serve one address, and are shown and counted as one', async (t) => {
  const scope = makeScope(t);
  const { daemon, peers } = await streaming(scope);
  const [router] = await daemon.routers();
  assert.equal(router?.servers.length, 1);
  assert.equal(router?.servers[0]?.active, PEERS);
  assert.equal(router?.names[0]?.endpoints[0]?.load, PEERS);
  assert.equal(await daemon.metric('l5d:srv:accepts'), PEERS);
  assert.equal(await daemon.metric('l5d:srv:active'), PEERS);
  assert.equal(await daemon.metric('l5d:balancer:endpoint:available'), 1, 'not once per worker');
  assert.equal(await daemon.metric('l5d:router:names'), 1, 'whoever holds it');
  assert.equal(await daemon.metric('l5d:worker:active'), PEERS);
  await dropPeers(peers);
});

test('`auto` is a worker for each CPU that the daemon may run on', async (t) => {
  const scope = makeScope(t);
  const routers = [route('web', [await startNamed(scope, 'A')])];
  const before = `taskset -cp ${someCpu()} $$ >&2;`;
  const daemon = await startDaemon(scope, { workers: 'auto', routers }, { before });
  assert.equal(workersOf(daemon).length, 1);
  const peer = await openPeer(daemon.ports[0] ?? 0);
  assert.equal(await peer.read(1), 'A');
  await dropPeers([peer]);
});

test('each worker takes connections from the system itself: nobody hands them out', async (t) => {
  const scope = makeScope(t);
  const daemon = await start(scope, { routers: [route('web', [await startNamed(scope, 'A')])] });
  const [port = 0] = daemon.ports;
  assert.deepEqual(
    workersOf(daemon).map((pid) => listensOn(port, pid)),
    [true, true],
  );
});

test('one that is killed takes its own streams along and nothing else; another takes its place', async (t) => {
  const scope = makeScope(t);
  const { daemon, port, peers: before } = await streaming(scope);
  const active = await daemon.metric('l5d:worker:active', 'worker="0"');
  assert.equal(await daemon.metric('l5d:srv:accepts'), PEERS);
  const from = daemon.log.length;
  // Workers are begun in order, and get their ids so.
  const [first = 0] = [...workersOf(daemon)].sort((a, b) => a - b);
  process.kill(first, 'SIGKILL');
  await daemon.logged(({ message }) => message.startsWith('a worker has ended'), from);
  const late = await openPeer(port);
  assert.equal(await late.read(1), 'A', 'the other serves meanwhile');
  await daemon.logged((line) => line.message === 'listening' && line['worker'] === 0, from);
  const echoes = await Promise.allSettled(before.map((peer) => peer.echo('still here')));
  const alive = echoes.filter(({ status }) => status === 'fulfilled').length;
  assert.equal(alive, PEERS - active);
  assert.equal(await daemon.metric('l5d:srv:accepts'), PEERS + 1, 'no count falls');
  assert.equal(await daemon.metric('l5d:worker:restarts'), 1);
  const again = await openPeers(port, PEERS);
  await Promise.all(again.map((peer) => peer.read(1)));
  await dropPeers([...before, late, ...again]);
});

const isAboutNumber = ({ level, message }: LogLine): boolean =>
  level === 'warn' && message === 'workers: takes effect at the next start';

test('a reload reaches all workers or none', async (t) => {
  const scope = makeScope(t);
  const endpoint = await startNamed(scope, 'A');
  const [port, extra, taken] = [await freePort(), await freePort(), endpoint];
  const web = route('web', [endpoint], { server: { port } });
  const config = (other: number): object => ({
    workers: 2,
    routers: [web, route('extra', [endpoint], { server: { port: other } })],
  });
  const daemon = await start(scope, { routers: [web] });
  await daemon.rewrite(config(taken));
  const refusal = await daemon.post('/reload');
  assert.equal(refusal.status, 400);
  assert.match(refusal.body, /^cannot listen on 127\.0\.0\.1:\d+: address already in use[^\n]*\n$/);
  await daemon.rewrite(config(extra));
  assert.equal((await daemon.post('/reload')).status, 200);
  for (const each of [port, extra]) {
    const peers = await openPeers(each, 10);
    await Promise.all(peers.map((peer) => peer.read(1)));
    await dropPeers(peers);
  }
  await daemon.logged(({ message }) => message === 'reloaded');
  assert.ok(!daemon.log.some(isAboutNumber), 'the number is the same');
  await daemon.rewrite({ workers: 3, routers: [web] });
  assert.equal((await daemon.post('/reload')).status, 200);
  await refused(extra);
  await daemon.logged(isAboutNumber);
  assert.equal(workersOf(daemon).length, 2);
});

test('a name is watched once for all workers, a change reaches each, and one that is begun again knows it', async (t) => {
  const scope = makeScope(t);
  const namerd = await startNamerd();
  scope.after(() => namerd.close());
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  namerd.set('/svc/web', bound(addr(a)));
  const daemon = await start(scope, {
    routers: [
      {
        label: 'web',
        interpreter: {
          kind: 'io.l5d.namerd.http',
          baseUrl: namerd.baseUrl,
          namespace: 'default',
          periodSecs: 60,
        },
        servers: [{ port: 0, dstName: '/svc/web' }],
      },
    ],
  });
  const [port = 0] = daemon.ports;
  const named = async (): Promise<string> => {
    const peers = await openPeers(port, PEERS);
    const names = await Promise.all(peers.map((peer) => peer.read(1)));
    await dropPeers(peers);
    return [...new Set(names)].sort().join('');
  };
  assert.equal(await named(), 'A');
  const lookUps = () => daemon.metric('l5d:resolver:success_count');
  // The name, and the one leaf that it is bound to.
  assert.deepEqual([await lookUps(), await lookUps()], [2, 2]);
  assert.equal(namerd.open.filter(({ kind }) => kind === 'watch').length, 2);
  namerd.set('/svc/web', bound(addr(b)));
  await eventually('all workers know', async () => (await named()) === 'B');
  const from = daemon.log.length;
  process.kill(workersOf(daemon)[0] ?? 0, 'SIGKILL');
  await daemon.logged(({ message }) => message === 'listening', from);
  assert.equal(await named(), 'B');
  assert.equal(namerd.asked.filter(({ kind }) => kind === 'watch').length, 2);
});

test('a shutdown drains all workers and leaves no process; signals to a worker mean nothing', async (t) => {
  const scope = makeScope(t);
  const { daemon, port, peers } = await streaming(scope);
  const workers = workersOf(daemon);
  assert.equal(workers.length, 2);
  for (const pid of workers)
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, name);
  daemon.signal('SIGTERM');
  await refused(port);
  assert.ok((await Promise.all(peers.map((peer) => peer.echo('still here')))).length === PEERS);
  await dropPeers(peers);
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
  await eventually('no worker is left', () =>
    workers.every((pid) => !readdirSync('/proc').includes(String(pid))),
  );
});

test('what lives longer than the grace is cut by the workers, and the exit code is 0', async (t) => {
  const scope = makeScope(t);
  const daemon = await start(scope, {
    admin: { port: 0, graceSecs: 1 },
    routers: [route('web', [await startNamed(scope, 'A')])],
  });
  const peer = await openPeer(daemon.ports[0] ?? 0);
  await peer.read(1);
  daemon.signal('SIGTERM');
  // The end of a primary that told nobody would end the stream as well, and no line would say why.
  await daemon.logged(({ reason = '' }) => reason.startsWith('shutdown 1000ms admin.graceSecs'));
  await peer.ended();
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});

test('workers end with their primary, however that ends', async (t) => {
  const scope = makeScope(t);
  const daemon = await start(scope, { routers: [route('web', [await startNamed(scope, 'A')])] });
  const workers = workersOf(daemon);
  assert.equal(workers.length, 2);
  daemon.signal('SIGKILL');
  await eventually('no worker is left', () =>
    workers.every((pid) => !readdirSync('/proc').includes(String(pid))),
  );
});
