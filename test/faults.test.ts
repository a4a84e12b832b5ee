/** Bad input from every side: the daemon stays up, serves the others, says so once and returns to its base line. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Daemon, type LogLine, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { makeIdentity } from './support/identity.ts';
import { makeScope } from './support/process.ts';
import { route } from './support/route.ts';
import {
  dropPeers,
  openPeer,
  openPeers,
  startDeaf,
  startEcho,
  startRefusing,
  startServer,
} from './support/tcp.ts';

const scope = makeScope({ after });
const ROUTERS = ['echo', 'secure', 'refused', 'resetting', 'deaf', 'mute'] as const;
let daemon: Daemon;

before(async () => {
  const echo = await startEcho(scope);
  const resetting = await startServer(scope, (socket) => socket.resetAndDestroy());
  const mute = await startServer(scope, () => undefined);
  const identity = await makeIdentity(scope, 'localhost');
  const server = { connectTimeoutMs: 1000, idleTimeoutMs: 60_000 };
  const client = { connectTimeoutMs: 200 };
  daemon = await startDaemon(scope, {
    admin: { port: 0 },
    routers: [
      route('echo', [echo]),
      route('secure', [echo], {
        server: { ...server, tls: { defaultIdentity: identity, handshakeTimeoutMs: 500 } },
      }),
      route('refused', [await startRefusing(scope), await startRefusing(scope)], {
        server,
        client,
      }),
      route('resetting', [resetting], { server, client }),
      route('deaf', [await startDeaf(scope)], { server, client }),
      route('mute', [mute], { server: { ...server, idleTimeoutMs: 300 }, client }),
    ],
  });
});

const portOf = (label: (typeof ROUTERS)[number]): number =>
  daemon.ports[ROUTERS.indexOf(label)] ?? 0;

const serves = async (): Promise<void> => {
  const peer = await openPeer(portOf('echo'));
  assert.equal(await peer.echo('still here'), 'still here');
  const src = `127.0.0.1:${peer.socket.localPort}`;
  const from = daemon.log.length;
  await dropPeers([peer]);
  // Lines come in order and a little late: with this one all are here.
  await daemon.logged((line) => line['src'] === src, from);
  assert.equal((await daemon.get('/ping')).body.trim(), 'pong');
};

/** Resident memory of the daemon, in bytes. */
const memory = (): number => {
  const [, kilobytes] =
    /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
};

/** Runs `trouble`, then checks that all it took has been given back. */
const returnsToBaseLine = async (trouble: () => Promise<void>): Promise<void> => {
  await serves();
  const base = daemon.descriptors();
  await trouble();
  await serves();
  await eventually('descriptors are back', () => daemon.descriptors() <= base);
  const [held] = await eventually('no connection is held', async () => {
    const routers = await daemon.routers();
    const all = routers.flatMap(({ servers }) => servers);
    return all.every(({ active }) => active === 0) && [all.length];
  });
  assert.equal(held, ROUTERS.length);
};

const linesSince = (from: number): number => daemon.log.length - from;

const GARBAGE = [
  randomBytes(20_000),
  Buffer.from('GET / HTTP/9.9\r\n\r\n'),
  Buffer.from('\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 'latin1'),
  Buffer.alloc(70_000, 'A'),
  Buffer.from([0]),
];

test('garbage on any port harms nobody', () =>
  returnsToBaseLine(async () => {
    const from = daemon.log.length;
    const ports = [...daemon.ports, Number(new URL(daemon.admin).port)];
    await Promise.all(
      ports.flatMap((port) =>
        GARBAGE.map(async (bytes) => {
          const { socket, ended } = await openPeer(port);
          socket.end(bytes);
          await ended();
        }),
      ),
    );
    assert.ok(linesSince(from) <= ports.length * GARBAGE.length + ROUTERS.length, 'no log flood');
  }));

test('half a request to the admin server holds nothing up', () =>
  returnsToBaseLine(async () => {
    const port = Number(new URL(daemon.admin).port);
    const peers = await openPeers(port, 20);
    for (const { socket } of peers) socket.write('POST /reload HTTP/1.1\r\nHost: loc');
    await serves();
    await dropPeers(peers);
  }));

test('clients that reset right after they connect leave nothing behind', () =>
  returnsToBaseLine(async () => {
    for (const label of ROUTERS)
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const { socket, ended } = await openPeer(portOf(label));
          socket.resetAndDestroy();
          await ended();
        }),
      );
  }));

test('1,000 connections that are dropped at once leave nothing behind', () =>
  returnsToBaseLine(async () => {
    const round = async (): Promise<void> => {
      const peers = await openPeers(portOf('echo'), 1000);
      await Promise.all(peers.map((peer, i) => peer.echo(`hello ${i}`)));
      await dropPeers(peers);
    };
    await round();
    const settled = memory();
    await round();
    await round();
    const growth = memory() - settled;
    assert.ok(growth < 64 * 2 ** 20, `memory grew by ${growth} bytes`);
  }));

/** Opens clients on a server that leads nowhere; all must end by themselves, without a byte. */
const allEnd = async (label: (typeof ROUTERS)[number], count: number): Promise<void> => {
  const from = daemon.log.length;
  const peers = await openPeers(portOf(label), count);
  await serves();
  const endings = await Promise.all(peers.map(({ ended }) => ended()));
  assert.equal(
    endings.reduce((sum, { bytes }) => sum + bytes, 0),
    0,
  );
  await eventually('every end is told', () => told(label, from).length >= count);
  assert.equal(told(label, from).length, count, 'one line for each connection');
  assert.ok(linesSince(from) <= count + 40, `${linesSince(from)} lines for ${count} connections`);
};

/** Lines about the ends of connections to a name. */
const told = (label: string, from: number) =>
  daemon.log
    .slice(from)
    .filter(({ dst, reason }) => dst === `/svc/${label}` && reason !== undefined);

for (const [label, what] of [
  ['refused', 'refuse'],
  ['resetting', 'accept and reset'],
  ['deaf', 'never take the connection'],
  ['mute', 'never answer'],
] as const) {
  test(`endpoints that ${what} hold up nobody else`, () =>
    returnsToBaseLine(() => allEnd(label, 30)));
}

test('more clients than file descriptors: the surplus is reset, the rest is served', async (t) => {
  const own = makeScope(t);
  const small = await startDaemon(
    own,
    { routers: [route('echo', [await startEcho(own)])] },
    { before: 'ulimit -n 256;' },
  );
  const base = small.descriptors();
  for (let episode = 1; episode <= 2; episode++) {
    const peers = await openPeers(small.ports[0] ?? 0, 400);
    const served = await Promise.all(
      peers.map((peer) =>
        peer.echo('hello').then(
          () => true,
          () => false,
        ),
      ),
    );
    const count = served.filter((ok) => ok).length;
    assert.ok(count >= 50 && count < 130, `${count} served`);
    assert.equal((await small.get('/ping')).status, 200, 'admin has descriptors of its own');
    const [first] = peers.filter((_, i) => served[i]);
    assert.equal(await first?.echo('again'), 'again');
    await dropPeers(peers);
    await eventually('descriptors are back', () => small.descriptors() <= base);
    const isBegun = ({ message, reason }: LogLine): boolean =>
      message === 'rejecting connections' && reason === 'fd-limit';
    // Lines are written some at a time.
    await small.logged(isBegun);
    const begun = small.log.filter(isBegun);
    assert.ok(begun.length <= episode, `told ${begun.length} times`);
  }
});
