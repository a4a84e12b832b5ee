/** The client table: who owns a socket when, and how a client that goes away is noticed. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Stream } from '../src/duplex/stream.ts';
import type { Path } from '../src/path.ts';
import { Clients } from '../src/server/clients.ts';
import { AHEAD_BYTES, type Begun } from '../src/socket/read-ahead.ts';
import { SHORT_BYTES, type Socket } from '../src/socket/socket.ts';
import { StreamSocket } from '../src/socket/stream-socket.ts';
import { within } from './support/eventually.ts';
import { overhear, say, takeOver, whenReleased } from './support/hearer.ts';
import { ended } from './support/serving.ts';
import {
  type Connection,
  NO_LIMITS,
  onBoth,
  Peer,
  pattern,
  socketAccount,
  Waiting,
} from './support/sockets.ts';

const ID = 7;

const addTo = (clients: Clients, socket: Socket, id = ID, earlier?: Begun): void => {
  const envelope = {
    id,
    rt: 'main',
    srv: '127.0.0.1:1',
    src: '127.0.0.1:2',
    dst: '/svc/web' as Path,
    rule: '',
    at: 0,
    deadline: 1,
  };
  clients.add({ envelope, limits: NO_LIMITS }, socket, earlier);
};

/** A table with one client: `near` is the table’s, `far` the client’s own; `heard` is what the table hears. */
const withClient = async (t: TestContext, connected: Promise<Connection>) => {
  const connection = await connected;
  const { near, far } = connection;
  const peer = new Peer(connection);
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  const clients = new Clients();
  const released = whenReleased(near);
  addTo(clients, near);
  return { clients, near, far, peer, released, heard: overhear(near) };
};

/** What `watch` tells, once it has. */
const departure = (
  clients: Clients,
): { readonly told: string[]; readonly first: () => Promise<string> } => {
  const told: string[] = [];
  const first = new Promise<string>((resolve) => {
    clients.watch(ID, (detail) => {
      told.push(detail);
      resolve(detail);
    });
  });
  return { told, first: () => within('a departure', first) };
};

onBoth(
  'a client that resets while it waits departs once, in the system’s words',
  async (t, kit) => {
    const { clients, near, far, released } = await withClient(t, kit.connectPlain('far'));
    const { told, first } = departure(clients);
    far.resetAndDestroy();
    assert.equal(await first(), 'ECONNRESET');
    clients.abort({ reason: 'shutdown', by: 'proxy' });
    assert.deepEqual(told, ['ECONNRESET']);
    assert.equal(clients.take(ID), undefined);
    assert.equal(near.isOpen, false);
    assert.equal(released.count(), 1);
  },
);

onBoth('who asks after a client has gone is told at once, with the same word', async (t, kit) => {
  const { clients, far, heard } = await withClient(t, kit.connectPlain('far'));
  far.resetAndDestroy();
  await heard.failure();
  assert.deepEqual(departure(clients).told, ['ECONNRESET']);
});

onBoth('a client that ends its direction waits on, and still gets its answer', async (t, kit) => {
  const { clients, far, peer, heard } = await withClient(t, kit.connectPlain('far'));
  const { told } = departure(clients);
  far.end();
  await heard.end();
  const client = clients.take(ID);
  assert.ok(client);
  assert.deepEqual(told, []);
  assert.deepEqual([client.hasEnded, client.said], [true, []]);
  say(client.socket, 'answer');
  client.socket.end();
  peer.read();
  assert.equal(await within('the end', peer.outcome), 'end');
  assert.equal(peer.text, 'answer');
});

onBoth('a client that ends behind its question hands over both, in order', async (t, kit) => {
  const { clients, peer, far, heard } = await withClient(t, kit.connectPlain('far'));
  far.end('question');
  await heard.end();
  const client = clients.take(ID);
  assert.ok(client);
  const hearer = takeOver(client);
  assert.equal(hearer.text, 'question');
  assert.deepEqual(hearer.told, ['data', 'ended']);
  say(client.socket, 'answer');
  await within('the answer', peer.read().gets(6));
  assert.deepEqual(hearer.told, ['data', 'ended'], 'neither comes twice');
});

onBoth(
  'what clients say while they wait is kept for each, though their reads share memory',
  async (t, kit) => {
    const one = await withClient(t, kit.connectPlain('far'));
    const two = await withClient(t, kit.connectPlain('far'));
    one.far.write('first');
    await one.heard.gets(5);
    two.far.write('other');
    await two.heard.gets(5);
    one.far.write(' again');
    await one.heard.gets(11);
    const said = [one, two].map(({ clients }) => Buffer.concat(clients.take(ID)?.said ?? []));
    assert.deepEqual(said.map(String), ['first again', 'other']);
  },
);

onBoth('a client that says much while it waits is paused, and loses nothing', async (t, kit) => {
  const before = socketAccount.held;
  const { clients, far, heard } = await withClient(t, kit.connectPlain('far'));
  const sent = pattern(3, 0, 8 * 1024 * 1024);
  far.end(sent);
  await heard.gets(AHEAD_BYTES);
  const client = clients.take(ID);
  assert.ok(client);
  const length = client.said.reduce((sum, bytes) => sum + bytes.length, 0);
  const most = kit.sockets.kind === 'handle' ? SHORT_BYTES : 64 * 1024;
  assert.ok(length <= AHEAD_BYTES + most, `${length} are kept`);
  assert.equal(socketAccount.held - before, length);
  const hearer = takeOver(client);
  await hearer.end();
  assert.equal(sent.equals(hearer.received), true);
});

/** Ways in which what a waiting client has said is kept no longer. */
const KEPT_UNTIL: readonly (readonly [
  how: string,
  act: (client: Awaited<ReturnType<typeof withClient>>) => unknown,
])[] = [
  ['it is joined', ({ clients }) => clients.take(ID)?.forget()],
  ['it is refused', ({ clients }) => clients.refuse(ID)],
  ['its socket is closed', ({ near }) => near.destroy()],
  [
    'it goes',
    async ({ far, heard }) => {
      far.resetAndDestroy();
      await heard.failure();
    },
  ],
];

for (const [how, act] of KEPT_UNTIL)
  onBoth(`what a waiting client has said counts as held until ${how}`, async (t, kit) => {
    const before = socketAccount.held;
    const client = await withClient(t, kit.connectPlain('far'));
    client.far.write('a question');
    await client.heard.gets(10);
    assert.equal(socketAccount.held, before + 10);
    await act(client);
    assert.equal(socketAccount.held, before);
  });

onBoth('what another owner has heard before is handed on, and counts once', async (t, kit) => {
  const before = socketAccount.held;
  const { near, far } = await kit.connectPlain('far');
  t.after(() => far.destroy());
  const clients = new Clients();
  const first = new Waiting(near);
  first.begin();
  const heard = overhear(near);
  far.write('a question');
  await heard.gets(10);
  addTo(clients, near, ID, first);
  assert.equal(socketAccount.held, before + 10);
  clients.refuse(ID);
  assert.equal(socketAccount.held, before);
});

onBoth(
  'the table hears nothing of a socket that is taken, and its failure is the taker’s',
  async (t, kit) => {
    const { clients, near, far } = await withClient(t, kit.connectPlain('far'));
    const { told } = departure(clients);
    const client = clients.take(ID);
    assert.ok(client);
    assert.equal(client.socket, near);
    assert.equal(clients.take(ID), undefined, 'it has one owner');
    const hearer = takeOver(client);
    far.write('too late for the table');
    await hearer.gets(22);
    far.resetAndDestroy();
    assert.equal(await hearer.failure(), 'ECONNRESET');
    assert.deepEqual([client.said, told], [[], []]);
    const late = departure(clients);
    assert.deepEqual(late.told, []);
    assert.equal(clients.size, 1, 'it counts until it leaves');
    clients.leave(ID);
    assert.equal(clients.size, 0);
  },
);

test('a client whose socket Node has closed by itself departs, and is never handed over', async () => {
  const clients = new Clients();
  const socket = new net.Socket().on('error', () => undefined);
  addTo(clients, new StreamSocket(socket.destroy(), { held: 0 }));
  assert.equal(await departure(clients).first(), 'closed');
  assert.equal(clients.take(ID), undefined);
});

onBoth(
  'a client that is refused is reset, given back once, and whoever waits for it is told once',
  async (t, kit) => {
    const { clients, far, released } = await withClient(t, kit.connectPlain('far'));
    const { told } = departure(clients);
    assert.equal(clients.refuse(ID)?.envelope.id, ID);
    assert.equal(clients.refuse(ID), undefined);
    assert.equal(await ended(far), 'ECONNRESET');
    assert.deepEqual(told, ['refused']);
    assert.deepEqual(clients.waiting(), []);
    assert.equal(released.count(), 1);
  },
);

onBoth(
  'one that is refused after it departed is given back all the same, for its end to be told',
  async (t, kit) => {
    const { clients, far } = await withClient(t, kit.connectPlain('far'));
    const { first } = departure(clients);
    far.resetAndDestroy();
    await first();
    assert.equal(clients.refuse(ID)?.envelope.id, ID);
    assert.equal(clients.size, 0);
  },
);

onBoth('an abort cuts the streams', async (t, kit) => {
  const { clients } = await withClient(t, kit.connectPlain('far'));
  clients.take(ID);
  const cut: string[] = [];
  const stream: Stream = { rx: 0, tx: 0, abort: ({ reason }) => cut.push(reason) };
  clients.streaming(ID, stream);
  clients.abort({ reason: 'shutdown', by: 'proxy' });
  assert.deepEqual(cut, ['shutdown']);
  assert.deepEqual(clients.waiting(), []);
});
