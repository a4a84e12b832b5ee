/** What is done to the process: by a daemon and its workers, to which it belongs, and not by whoever runs routers inside their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filter, firstValueFrom, merge, NEVER, of, share } from 'rxjs';
import { runRouters } from '../src/embed.ts';
import { FIRST_SIZE } from '../src/server/descriptor-table.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { isTableFixed, tableOf } from './support/descriptor-table.ts';
import { makeScope } from './support/process.ts';
import { route } from './support/route.ts';
import { turn } from './support/sockets.ts';
import { dropPeers, openPeer, type Peer, startEcho } from './support/tcp.ts';
import { workersOf } from './support/worker-processes.ts';

/** Turns of the loop in which the table would have grown. */
const MANY = 200;

const ROUTERS = [
  {
    label: 'a',
    interpreter: { kind: 'static', names: {} },
    servers: [{ port: 0, dstName: '/svc/a' }],
  },
];

/** More connections than are ever needed, and too few for such a table to come by itself. */
const MOST_PEERS = 800;

/** Opens connections until a table is large: where another thread was late, it is tried again when more are held. */
const opensUntilLarge = async (daemon: Daemon, pid: number): Promise<void> => {
  const peers: Peer[] = [];
  while (tableOf(pid) < FIRST_SIZE && peers.length < MOST_PEERS) {
    const peer = await openPeer(daemon.ports[0] ?? 0);
    await peer.echo('hello');
    peers.push(peer);
  }
  assert.ok(tableOf(pid) >= FIRST_SIZE, `${tableOf(pid)} with ${peers.length} connections`);
  await dropPeers(peers);
};

for (const workers of [0, 1])
  test(`the descriptor table of who serves is kept ahead, with ${workers} workers`, {
    skip: isTableFixed,
  }, async (t) => {
    const scope = makeScope(t);
    const daemon = await startDaemon(scope, {
      workers,
      routers: [route('echo', [await startEcho(scope)])],
    });
    await opensUntilLarge(daemon, workersOf(daemon)[0] ?? daemon.pid);
  });

test('that of a process with routers inside is left alone', { skip: isTableFixed }, async (t) => {
  const before = tableOf('self');
  const config = loadUnopened({ log: { level: 'error' }, routers: ROUTERS });
  const event$ = runRouters({ config$: merge(of(config), NEVER) }).pipe(share());
  const listening = firstValueFrom(event$.pipe(filter((event) => event.t === 'listening')));
  const running = event$.subscribe();
  t.after(() => running.unsubscribe());
  await listening;
  for (let i = 0; i < MANY; i++) await turn();
  assert.equal(tableOf('self'), before);
});
