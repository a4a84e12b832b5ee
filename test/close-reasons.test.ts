/** Every close reason is reached by a real connection, and told in the log by the same word. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CLOSE_REASONS, type CloseReason } from '../src/close-reason.ts';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { makeIdentity } from './support/identity.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, temporaryFolder } from './support/process.ts';
import { route } from './support/route.ts';
import {
  dropPeers,
  openPeer,
  type Peer,
  startDeaf,
  startEcho,
  startRefusing,
  startServer,
} from './support/tcp.ts';

/** Reasons that other files reach, or that only a fault of the program itself could give. */
const ELSEWHERE: Partial<Record<CloseReason, string>> = {
  'fd-limit': 'test/faults.test.ts',
  shutdown: 'test/shutdown.test.ts',
  'max-buffered-bytes': 'below, with a daemon of its own',
  internal: 'no input gives it',
};

/** Operators that do what they should not. */
const ODD = `
export default ({ rxjs, codecs, kind }) => ({
  api: 1,
  operators: {
    'com.example.breaks': kind(codecs.object('an object', {}), () =>
      rxjs.map(() => {
        throw new Error('boom');
      }),
    ),
    'com.example.keeps': kind(codecs.object('an object', {}), () => () => rxjs.NEVER),
  },
});
`;

const scope = makeScope({ after });
const labels: string[] = [];
let daemon: Daemon;

before(async () => {
  const plugin = await writeIn(await temporaryFolder(scope), 'odd.mjs', ODD);
  const echo = await startEcho(scope);
  const mute = await startServer(scope, (socket) => socket.resume());
  const deaf = await startDeaf(scope);
  const refusing = await Promise.all(Array.from({ length: 3 }, () => startRefusing(scope)));
  const identity = await makeIdentity(scope, 'localhost');
  const miserly = { minRetriesPerSec: 0, percentCanRetry: 0, ttlSecs: 10 };
  const nameless = route('nameless', []);
  const crowded = route('crowded', [echo]);
  const [first] = crowded.servers;
  const routers = [
    route('echo', [echo]),
    route('idle', [echo], { server: { idleTimeoutMs: 100 } }),
    route('old', [echo], { server: { connectionLifetimeSecs: 1 } }),
    route('half', [mute], { server: { halfCloseTimeoutMs: 100 } }),
    route('slow', [deaf], { server: { connectTimeoutMs: 200 } }),
    route('patient', [deaf], { server: { connectTimeoutMs: 600_000 } }),
    route('refused', refusing.slice(0, 1)),
    route('miserly', refusing, { client: { requeueBudget: miserly } }),
    { ...nameless, interpreter: { kind: 'static', names: {} } },
    route('empty', [], { client: { emptyWaitMs: 50 } }),
    route('queue', [deaf], { client: { maxWaiters: 1 } }),
    route('single', [echo], { server: { maxConcurrency: 1 } }),
    route('tls', [echo], { server: { tls: { defaultIdentity: identity } } }),
    route('hasty', [echo], {
      server: { tls: { defaultIdentity: identity, handshakeTimeoutMs: 100 } },
    }),
    route('denied', [echo], { server: { sources: { deny: '127.0.0.0/8' } } }),
    route('proxied', [echo], { server: { proxyProtocol: { trust: '127.0.0.1' } } }),
    route('peeked', [echo], { server: { peek: {} } }),
    route('unknown', [echo], {
      server: { dstName: undefined, identify: [{ localPort: 1, dst: '/svc/unknown' }] },
    }),
    route('turned', [echo], { operators: [{ kind: 'io.l5d.fault', refusePercent: 100 }] }),
    route('broken', [echo], { operators: [{ kind: 'com.example.breaks' }] }),
    route('kept', [echo], {
      server: { connectTimeoutMs: 100 },
      operators: [{ kind: 'com.example.keeps' }],
    }),
    {
      ...crowded,
      interpreter: {
        kind: 'static',
        names: { '/svc/crowded': [`127.0.0.1:${echo}`], '/svc/late': [`127.0.0.1:${echo}`] },
      },
      servers: [first, { ...first, dstName: '/svc/late' }],
      bindingCache: { paths: 1 },
    },
  ];
  labels.push(
    ...routers.flatMap(({ label, servers }) => servers.map((_, i) => `${label}${i || ''}`)),
  );
  daemon = await startDaemon(scope, {
    log: { level: 'debug', format: 'json' },
    plugins: [plugin],
    routers,
  });
});

const open = (label: string): Promise<Peer> => openPeer(daemon.ports[labels.indexOf(label)] ?? 0);

/** Opens a stream that the echo has answered. */
const stream = async (label: string): Promise<Peer> => {
  const peer = await open(label);
  assert.equal(await peer.echo('hello'), 'hello');
  return peer;
};

/** How to make a connection end for each reason. */
const PROVOKE: Partial<Record<CloseReason, () => Promise<unknown>>> = {
  end: async () => {
    const peer = await stream('echo');
    peer.socket.end();
    assert.deepEqual(await peer.ended(), { bytes: 5 });
  },
  reset: async () => {
    const peer = await stream('echo');
    peer.socket.resetAndDestroy();
  },
  departed: async () => {
    const peer = await open('patient');
    peer.socket.resetAndDestroy();
  },
  'idle-timeout': async () => (await stream('idle')).ended(),
  lifetime: async () => (await stream('old')).ended(),
  'half-close-timeout': async () => {
    const peer = await open('half');
    peer.socket.end('hello');
    await peer.ended();
  },
  'connect-timeout': async () => (await open('slow')).ended(),
  'connect-failed': async () => (await open('refused')).ended(),
  'retry-budget': async () => (await open('miserly')).ended(),
  'no-such-name': async () => (await open('nameless')).ended(),
  'no-endpoints': async () => (await open('empty')).ended(),
  'max-waiters': async () => {
    const first = await open('queue');
    const second = await open('queue');
    await Promise.race([first.ended(), second.ended()]);
    await dropPeers([first, second]);
  },
  'too-many-names': async () => {
    const holder = await stream('crowded');
    await (await open('crowded1')).ended();
    await dropPeers([holder]);
  },
  'max-concurrency': async () => {
    const holder = await stream('single');
    await (await open('single')).ended();
    await dropPeers([holder]);
  },
  'tls-handshake': async () => {
    const peer = await open('tls');
    peer.socket.write('no client hello at all\r\n\r\n');
    await peer.ended();
  },
  'tls-timeout': async () => (await open('hasty')).ended(),
  'source-denied': async () => (await open('denied')).ended(),
  'proxy-protocol': async () => {
    const peer = await open('proxied');
    peer.socket.write('PROXY TCP4 somewhere else\r\n');
    await peer.ended();
  },
  'client-hello': async () => {
    const peer = await open('peeked');
    peer.socket.write(Buffer.of(22, 3, 1, 0, 5, 1, 0, 0, 1, 0));
    await peer.ended();
  },
  unidentified: async () => (await open('unknown')).ended(),
  operator: async () => (await open('turned')).ended(),
  'operator-failed': async () => (await open('broken')).ended(),
  'operator-timeout': async () => (await open('kept')).ended(),
};

/** The reason leads its line; what follows is the rule that fired. */
const tells = (log: Daemon['log'], from: number, wanted: CloseReason): boolean =>
  log.slice(from).some(({ reason = '' }) => reason.split(' ', 1)[0] === wanted);

for (const [reason, provoke] of Object.entries(PROVOKE) as [
  CloseReason,
  () => Promise<unknown>,
][]) {
  test(`a connection ends with ${reason}: ${CLOSE_REASONS[reason]}`, async () => {
    const from = daemon.log.length;
    await provoke();
    await eventually(`the log tells ${reason}`, () => tells(daemon.log, from, reason));
  });
}

test('a connection ends with max-buffered-bytes while others hold them all', async (t) => {
  const own = makeScope(t);
  const flood = await startServer(own, (socket) => {
    socket.write(Buffer.alloc(32 * 2 ** 20));
  });
  const small = await startDaemon(own, {
    bufferSizeBytes: 65_536,
    maxBufferedBytes: 2 ** 20,
    routers: [route('flood', [flood])],
  });
  const peers: Peer[] = [];
  await eventually('one is turned away', async () => {
    const peer = await openPeer(small.ports[0] ?? 0);
    peer.socket.pause();
    peers.push(peer);
    return tells(small.log, 0, 'max-buffered-bytes');
  });
  await dropPeers(peers);
  await eventually('then one is let in again', async () => {
    const peer = await openPeer(small.ports[0] ?? 0);
    const answered = await peer.read(1).then(
      () => true,
      () => false,
    );
    await dropPeers([peer]);
    return answered;
  });
});

test('no reason is forgotten', () => {
  const reached = new Set([...Object.keys(PROVOKE), ...Object.keys(ELSEWHERE)]);
  assert.deepEqual(
    Object.keys(CLOSE_REASONS).filter((reason) => !reached.has(reason)),
    [],
  );
});
