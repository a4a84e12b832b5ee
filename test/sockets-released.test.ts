/** Sockets give back what they took: `released` once, however they close; and a server counts none of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { makeAddress } from '../src/address.ts';
import { AHEAD_BYTES } from '../src/socket/read-ahead.ts';
import type { PlainSocket } from '../src/socket/socket.ts';
import { SERVER_OPTIONS } from '../src/socket/sockets.ts';
import { eventually, within } from './support/eventually.ts';
import { hear, say, whenReleased } from './support/hearer.ts';
import { freePort } from './support/process.ts';
import {
  type Connection,
  connectTls,
  HANDLES,
  handlesGone,
  KINDS,
  makeTerms,
  onBoth,
  openHandles,
  socketAccount,
  turn,
  Waiting,
} from './support/sockets.ts';

/** How a connection closes. */
const ENDINGS: readonly (readonly [name: string, close: (connection: Connection) => void])[] = [
  ['it is destroyed', ({ near }) => near.destroy()],
  ['it is reset', ({ near }) => near.reset()],
  ['it is reset behind its end', ({ near }) => [near.end(), near.reset()]],
  ['its peer resets', ({ transport }) => transport.resetAndDestroy()],
];

const WAYS = [
  ['an accepted socket', 'connectPlain', 'far'],
  ['a dialed socket', 'connectPlain', 'near'],
  ['an accepted TLS socket', 'connectTls', 'far'],
  ['a dialed TLS socket', 'connectTls', 'near'],
] as const;

for (const [what, connect, dialedBy] of WAYS)
  for (const [how, close] of ENDINGS)
    onBoth(`${what} is released once when ${how}`, async (t, kit) => {
      const before = openHandles();
      const connection = await kit[connect](dialedBy);
      const { near, far } = connection;
      far.on('error', () => undefined);
      t.after(() => far.destroy());
      const released = whenReleased(near);
      const hearer = hear(near);
      // Over TLS this comes behind all that belongs to the handshake.
      far.write('here');
      await hearer.gets(4);
      await turn();
      assert.equal(released.count(), 0);
      close(connection);
      await released.once();
      assert.equal(near.isOpen, false);
      near.destroy();
      near.reset();
      far.destroy();
      await handlesGone(before);
      assert.equal(released.count(), 1);
    });

for (const dialedBy of ['far', 'near'] as const)
  for (const how of ['drop', 'end', 'reset', 'garbage'] as const)
    onBoth(
      `a handshake (dialed by ${dialedBy}) is released once, and told unless it is dropped: ${how}`,
      async (t, kit) => {
        const { near, far } = await kit.connectPlain(dialedBy);
        far.on('error', () => undefined);
        t.after(() => far.destroy());
        const released = whenReleased(near);
        const told: unknown[] = [];
        const terms = await makeTerms(dialedBy === 'far' ? 'server' : 'client');
        const drop = near.secure(terms, { said: [], done: (handshake) => told.push(handshake) });
        assert.equal(near.isOpen, false);
        // It is nothing any more.
        near.destroy();
        near.reset();
        near.read();
        say(near, 'nothing');
        await turn();
        assert.deepEqual([released.count(), told], [0, []]);
        if (how === 'drop') drop();
        else if (how === 'end') far.end();
        else if (how === 'reset') far.resetAndDestroy();
        else far.write('no TLS at all, but rather more than a record’s head');
        await released.once();
        await eventually('the outcome', () => told.length === (how === 'drop' ? 0 : 1));
        drop();
        await turn();
        assert.equal(released.count(), 1);
        for (const outcome of told) assert.equal(Reflect.get(Object(outcome), 't'), 'failed');
      },
    );

onBoth(
  'a handshake that fails by what was said before it is released once, and told',
  async (t, kit) => {
    const { near, far } = await kit.connectPlain('far');
    far.on('error', () => undefined);
    t.after(() => far.destroy());
    const released = whenReleased(near);
    const told: string[] = [];
    const said = [Buffer.from('no TLS at all, but rather more than a record’s head')];
    near.secure(await makeTerms('server'), { said, done: ({ t: how }) => told.push(how) });
    await released.once();
    await eventually('the outcome', () => told.length > 0);
    await turn();
    assert.deepEqual([released.count(), told], [1, ['failed']]);
  },
);

for (const sockets of KINDS)
  for (const dialedBy of ['far', 'near'] as const)
    test(`the account of a connection goes with its TLS socket (${sockets.kind}, dialed by ${dialedBy})`, async (t) => {
      const counts: (() => number)[] = [];
      const waits: (() => Promise<void>)[] = [];
      const { near, far } = await connectTls(dialedBy, {
        ...sockets,
        accept: (server, taken) =>
          sockets.accept(server, (socket) => {
            noteRelease(socket);
            taken(socket);
          }),
        dial: (address, done) => {
          const socket = sockets.dial(address, done);
          noteRelease(socket);
          return socket;
        },
      });
      function noteRelease(socket: PlainSocket): void {
        const released = whenReleased(socket);
        counts.push(released.count);
        waits.push(released.once);
      }
      t.after(() => far.destroy());
      far.on('error', () => undefined);
      assert.deepEqual(
        counts.map((count) => count()),
        [0],
      );
      near.destroy();
      for (const wait of waits) await wait();
      await turn();
      assert.deepEqual(
        counts.map((count) => count()),
        [1],
      );
    });

onBoth('a dial that is destroyed, or fails, is released once', async (_, { sockets }) => {
  const port = await freePort();
  const before = openHandles();
  const codes: (string | undefined)[] = [];
  const dropped = sockets.dial(makeAddress('127.0.0.1', port), (code) => codes.push(code));
  const one = whenReleased(dropped);
  dropped.destroy();
  await one.once();
  let settle: (code: string | undefined) => void = () => undefined;
  const failed = new Promise<string | undefined>((resolve) => {
    settle = resolve;
  });
  const failing = sockets.dial(makeAddress('127.0.0.1', port), (code) => settle(code));
  const two = whenReleased(failing);
  assert.equal(await within('a failure', failed), 'ECONNREFUSED');
  await two.once();
  await handlesGone(before);
  assert.deepEqual([one.count(), two.count(), codes], [1, 1, []]);
});

onBoth('an owner that fails finds its socket closed and released', async (t, { connectPlain }) => {
  const { near, far } = await connectPlain('far');
  t.after(() => far.destroy());
  const released = whenReleased(near);
  const seen = new Promise<readonly unknown[]>((resolve) => {
    const hearer = hear(near);
    hearer.until('a failure', () => {
      if (!hearer.told.includes('failed ECONNRESET')) return false;
      resolve([near.isOpen, near.unwritten, released.count()]);
      return true;
    });
  });
  far.resetAndDestroy();
  assert.deepEqual(await within('a failure', seen), [false, 0, 1]);
});

test('a server does not count the accepted sockets that are on handles: it closes before them', async (t) => {
  const [handles] = KINDS;
  assert.equal(handles?.kind, 'handle');
  const server = net.createServer(SERVER_OPTIONS).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise<PlainSocket>((resolve) => handles.accept(server, resolve));
  const { port } = server.address() as net.AddressInfo;
  const far = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => far.destroy());
  const near = await within('a connection', accepted);
  t.after(() => near.destroy());
  const closed = once(server, 'close');
  server.close();
  await within('its close', closed);
  const hearer = hear(near);
  far.write('still here');
  assert.equal(await hearer.gets(10), 'still here');
});

test('what comes on a TLS connection that is paused stands in the account until that is closed', async (t) => {
  const before = socketAccount.held;
  const { near, far } = await connectTls('far', HANDLES);
  t.after(() => far.destroy());
  far.on('error', () => undefined).write(Buffer.alloc(2 ** 20));
  const waiting = new Waiting(near);
  waiting.begin();
  const said = (): number => waiting.said.reduce((sum, { length }) => sum + length, 0);
  await eventually('more than is said', () => socketAccount.held - before > said());
  assert.equal(said(), AHEAD_BYTES);
  near.destroy();
  waiting.forget();
  assert.equal(socketAccount.held, before);
});
