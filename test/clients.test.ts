/** The client table: who owns a socket when, and how a client that goes away is noticed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Stream } from '../src/duplex/stream.ts';
import { Clients } from '../src/server/clients.ts';
import { within } from './support/eventually.ts';
import { ended, makeConfig } from './support/serving.ts';
import { connectPlain, NO_LIMITS } from './support/sockets.ts';

const ID = 7;
const EVENTS = ['error', 'close', 'end', 'data', 'readable', 'finish', 'drain'] as const;

const listeners = (socket: Socket): readonly number[] =>
  EVENTS.map((event) => socket.listenerCount(event));

/** A table with one client: `near` is the table’s, `far` the client’s own. */
const withClient = async (t: TestContext) => {
  const { near, far } = await connectPlain('far');
  for (const socket of [near, far]) socket.on('error', () => undefined);
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  const clients = new Clients();
  const envelope = {
    id: ID,
    rt: 'main',
    srv: '127.0.0.1:1',
    src: '127.0.0.1:2',
    dst: makeConfig().dstName,
    at: 0,
    deadline: 1,
  };
  const before = listeners(near);
  const add = (): void => clients.add({ envelope, socket: near, limits: NO_LIMITS });
  return { clients, near, far, before, add };
};

const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve());
  });

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

test('a client that resets while it waits departs once, in the system’s words', async (t) => {
  const { clients, near, far, before, add } = await withClient(t);
  add();
  const { told, first } = departure(clients);
  far.resetAndDestroy();
  assert.equal(await first(), 'ECONNRESET');
  clients.abort({ reason: 'shutdown', by: 'proxy' });
  assert.deepEqual(told, ['ECONNRESET']);
  assert.equal(clients.take(ID), undefined);
  assert.equal(near.destroyed, true);
  assert.deepEqual(listeners(near), before);
});

test('who asks after a client has gone is told at once, with the same word', async (t) => {
  const { clients, near, far, add } = await withClient(t);
  add();
  const closed = gone(near);
  far.resetAndDestroy();
  await within('a close', closed);
  assert.deepEqual(departure(clients).told, ['ECONNRESET']);
});

test('a client that ends its direction waits on, and still gets its answer', async (t) => {
  const { clients, near, far, add } = await withClient(t);
  add();
  const { told } = departure(clients);
  const ending = once(near, 'end');
  far.end();
  await within('the end', ending);
  const client = clients.take(ID);
  assert.deepEqual(told, []);
  assert.equal(client?.socket.writable, true);
  client.socket.end('answer');
  const [answer] = await once(far, 'data');
  assert.equal(String(answer), 'answer');
});

test('a client that ends behind its question hands over the question, and then the end', async (t) => {
  const { clients, near, far, add } = await withClient(t);
  add();
  const readable = once(near, 'readable');
  far.end('question');
  await within('bytes', readable);
  const client = clients.take(ID);
  assert.ok(client);
  const chunks: string[] = [];
  client.socket.on('data', (chunk) => chunks.push(String(chunk)));
  await within('the end', once(client.socket, 'end'));
  assert.deepEqual(chunks, ['question']);
  assert.equal(client.socket.writable, true);
});

test('a socket that is taken carries no listener of the table, and its close is the taker’s', async (t) => {
  const { clients, near, far, before, add } = await withClient(t);
  add();
  const { told } = departure(clients);
  assert.equal(clients.take(ID)?.socket, near);
  assert.deepEqual(listeners(near), before);
  assert.equal(clients.take(ID), undefined, 'it has one owner');
  const closed = gone(near);
  far.resetAndDestroy();
  await within('a close', closed);
  assert.deepEqual(told, []);
  assert.equal(clients.size, 1, 'it counts until it leaves');
  clients.leave(ID);
  assert.equal(clients.size, 0);
});

test('a client whose socket is destroyed is never handed over, even before its close is told', async (t) => {
  const { clients, near, add } = await withClient(t);
  add();
  near.destroy();
  assert.equal(clients.take(ID), undefined);
});

test('a socket that was destroyed before it came departs as soon as somebody asks', async (t) => {
  const { clients, near, add } = await withClient(t);
  near.destroy();
  add();
  assert.deepEqual(departure(clients).told, ['closed']);
});

test('a client that is refused is reset, given back once, and whoever waits for it is told once', async (t) => {
  const { clients, near, far, before, add } = await withClient(t);
  add();
  const { told } = departure(clients);
  assert.equal(clients.refuse(ID)?.socket, near);
  assert.equal(clients.refuse(ID), undefined);
  assert.equal(await ended(far), 'ECONNRESET');
  assert.deepEqual(told, ['refused']);
  assert.deepEqual(clients.waiting(), []);
  assert.deepEqual(listeners(near), before);
});

test('one that is refused after it departed is given back all the same, for its end to be told', async (t) => {
  const { clients, far, add } = await withClient(t);
  add();
  const { first } = departure(clients);
  far.resetAndDestroy();
  await first();
  assert.equal(clients.refuse(ID)?.envelope.id, ID);
  assert.equal(clients.size, 0);
});

test('an abort cuts the streams', async (t) => {
  const { clients, add } = await withClient(t);
  add();
  clients.take(ID);
  const cut: string[] = [];
  const stream: Stream = { rx: 0, tx: 0, abort: ({ reason }) => cut.push(reason) };
  clients.streaming(ID, stream);
  clients.abort({ reason: 'shutdown', by: 'proxy' });
  assert.deepEqual(cut, ['shutdown']);
  assert.deepEqual(clients.waiting(), []);
});
