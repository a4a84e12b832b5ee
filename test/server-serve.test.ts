/** One server: who is let in, what is told of it, and what a reload changes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { makeEnvelope } from '../src/envelope.ts';
import type { Path } from '../src/path.ts';
import { Descriptors } from '../src/server/descriptors.ts';
import type { Accept } from '../src/server/listener.ts';
import { eventually, within } from './support/eventually.ts';
import { say, takeOver } from './support/hearer.ts';
import { makeScope } from './support/process.ts';
import {
  bound,
  dial,
  ended,
  makeConfig,
  makeHandEnv,
  open,
  portOf,
  type Serving,
  startServing,
} from './support/serving.ts';
import { handlesGone, onBoth, openHandles } from './support/sockets.ts';

const PLACE = 'routers[0].servers[0]';

/** Waits until nothing is left of any connection: not in the table, not in the descriptors’ account. */
const baseLine = ({ descriptors, clients, timers }: Serving): Promise<unknown> =>
  eventually('the base line', () => {
    for (const { envelope } of [...clients.all()])
      clients.watch(envelope.id, () => clients.refuse(envelope.id));
    return descriptors.held === 0 && clients.size === 0 && timers.size() === 0;
  });

onBoth(
  'a plain connection is accepted and arrives, with its address, times and limits',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const settings = {
      connectionLifetimeMs: 1000,
      connectionLifetimeJitter: 0.2,
      idleTimeoutMs: 5,
    };
    const serving = await startServing(scope, { sockets, settings });
    serving.clock.advance(40);
    const client = await dial(scope, serving.port);
    const [arrived] = await serving.told('arrived');
    const { srv } = serving.listener;
    const place = { rt: 'main', srv };
    const src = `127.0.0.1:${client.localPort}`;
    const dst = '/svc/web' as Path;
    const rule = 'routers[0].servers[0].dstName';
    const known = { src, dst, rule, at: 40 };
    const envelope = makeEnvelope({ id: 1, ...place, deadline: 10_040 }, known);
    assert.deepEqual(serving.events, [
      { t: 'listening', ...place },
      { t: 'accepted', ...place },
      { t: 'arrived', envelope },
    ]);
    assert.deepEqual(serving.clients.take(arrived?.envelope.id ?? 0)?.limits, {
      idleTimeoutMs: 5,
      lifetimeMs: 1100,
      halfCloseTimeoutMs: 60_000,
      resetLingerMs: 100,
      bufferSizeBytes: 1_048_576,
      place: PLACE,
    });
  },
);

onBoth(
  'above maxConcurrency a client is reset, and told why; a place is free when a connection has closed',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets, settings: { maxConcurrency: 2 } });
    const first = await dial(scope, serving.port);
    await dial(scope, serving.port);
    await serving.told('arrived', 2);
    const surplus = open(scope, serving.port);
    assert.equal(await ended(surplus), 'ECONNRESET');
    const [rejected] = await serving.told('rejected');
    assert.match(rejected?.src ?? '', /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(rejected?.close, {
      reason: 'max-concurrency',
      by: 'proxy',
      limit: '2',
      place: PLACE,
    });
    const [client] = serving.all('arrived');
    const taken = serving.clients.take(client?.envelope.id ?? 0);
    assert.ok(taken);
    first.end();
    await takeOver(taken).end();
    assert.equal(
      await ended(open(scope, serving.port)),
      'ECONNRESET',
      'a stream counts to its close',
    );
    taken.socket.destroy();
    await eventually('a place is free', () => serving.descriptors.held === 1);
    await dial(scope, serving.port);
    await serving.told('arrived', 3);
    assert.equal(serving.all('accepted').length, 3, 'who is rejected was never accepted');
  },
);

onBoth(
  'close to the limit of descriptors clients are reset, and each that is in can have an endpoint',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const descriptors = new Descriptors(5);
    const serving = await startServing(scope, { sockets, descriptors });
    const clients = [await dial(scope, serving.port), await dial(scope, serving.port)];
    await serving.told('arrived', 2);
    assert.equal(descriptors.held, 2);
    assert.equal(await ended(open(scope, serving.port)), 'ECONNRESET');
    const [rejected] = await serving.told('rejected');
    assert.deepEqual(rejected?.close, { reason: 'fd-limit', by: 'proxy', limit: '5' });
    assert.equal(descriptors.has(2), true, 'two wait, and two endpoints still fit');
    for (const client of clients) client.resetAndDestroy();
    await baseLine(serving);
    await dial(scope, serving.port);
    await serving.told('arrived', 3);
  },
);

test('what else holds descriptors counts too', () => {
  const descriptors = new Descriptors(6);
  assert.equal(descriptors.hasForClient(), true);
  for (let i = 0; i < 5; i++) descriptors.take();
  assert.equal(descriptors.hasForClient(), false, 'only one is left');
  descriptors.give();
  assert.equal(descriptors.hasForClient(), true);
  descriptors.takeForClient();
  assert.deepEqual([descriptors.held, descriptors.has(1), descriptors.has(2)], [5, true, false]);
  descriptors.giveForClient();
  assert.equal(descriptors.held, 4);
});

onBoth('while too many bytes are buffered clients are reset', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startServing(scope, { sockets, maxBufferedBytes: 1000 });
  serving.budget.held = 1000;
  assert.equal(await ended(open(scope, serving.port)), 'ECONNRESET');
  const [rejected] = await serving.told('rejected');
  assert.deepEqual(rejected?.close, { reason: 'max-buffered-bytes', by: 'proxy', limit: '1000' });
  serving.budget.held = 999;
  await dial(scope, serving.port);
  await serving.told('arrived');
});

onBoth(
  'an episode of rejections makes two log lines, however many clients it turns away',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets, settings: { maxConcurrency: 0 } });
    const admit = (maxConcurrency: number): void =>
      serving.config$.next(makeConfig({ maxConcurrency }));
    for (let i = 0; i < 50; i++) open(scope, serving.port);
    await serving.told('rejected', 50);
    const srv = serving.listener.srv;
    const fields = { rt: 'main', srv, reason: 'max-concurrency' };
    const begin = {
      level: 'warn',
      message: 'rejecting connections',
      fields: { ...fields, count: undefined },
    };
    assert.deepEqual(serving.lines, [begin]);
    admit(1);
    const client = await dial(scope, serving.port);
    await serving.told('arrived');
    assert.deepEqual(serving.lines, [begin], 'it is not over yet');
    client.resetAndDestroy();
    await baseLine(serving);
    serving.clock.advance(1000);
    await dial(scope, serving.port);
    await serving.told('arrived', 2);
    const end = {
      level: 'warn',
      message: 'accepting connections again',
      fields: { ...fields, count: 50 },
    };
    assert.deepEqual(serving.lines, [begin, end]);
    open(scope, serving.port);
    await serving.told('rejected', 51);
    assert.deepEqual(serving.lines, [begin, end, begin]);
  },
);

onBoth(
  'a client that is gone before anybody looked is dropped, counted and forgotten (B7)',
  async (t, { sockets, connectPlain }) => {
    let accept: Accept | undefined;
    const listener = {
      srv: '127.0.0.1:1',
      accept: (handler: Accept | undefined) => {
        accept = handler;
      },
      close: () => undefined,
    };
    const serving = await startServing(makeScope(t), { sockets, listener });
    const { near, far } = await connectPlain('far');
    far.resetAndDestroy();
    accept?.(near);
    assert.equal(near.isOpen, false);
    assert.equal(serving.all('accepted').length, 1);
    assert.deepEqual(serving.all('rejected'), [
      {
        t: 'rejected',
        rt: 'main',
        srv: '127.0.0.1:1',
        src: 'unknown',
        close: { reason: 'departed', by: 'client' },
      },
    ]);
    await baseLine(serving);
  },
);

onBoth(
  'clients that reset while they were kept for a server hold no place in it',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { env } = makeHandEnv();
    const listener = await bound(scope, env, { sockets });
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => dial(scope, portOf(listener.srv))),
    );
    for (const client of clients) client.resetAndDestroy();
    const serving = await startServing(scope, {
      sockets,
      listener,
      settings: { maxConcurrency: 1 },
    });
    const rejected = await serving.told('rejected', clients.length);
    assert.deepEqual(new Set(rejected.map(({ close }) => close.reason)), new Set(['departed']));
    await baseLine(serving);
    await dial(scope, serving.port);
    await serving.told('arrived');
  },
);

onBoth(
  '1,000 connections that are dropped at once leave nothing behind',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets });
    const before = openHandles();
    const closed = Array.from({ length: 1000 }, (_, i) => {
      const socket = open(scope, serving.port);
      socket.on('connect', () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
      return new Promise((resolve) => socket.on('close', resolve));
    });
    await within('their end', Promise.all(closed));
    // Who comes last is accepted last.
    const last = await dial(scope, serving.port);
    await eventually('the last', () =>
      serving.all('arrived').some(({ envelope }) => envelope.src.endsWith(`:${last.localPort}`)),
    );
    last.destroy();
    for (const { envelope } of [...serving.clients.all()]) {
      // One that only closed looks as if it waited for an answer.
      serving.clients.take(envelope.id)?.socket.destroy();
      serving.clients.leave(envelope.id);
    }
    await baseLine(serving);
    await handlesGone(before);
  },
);

onBoth(
  'a reload holds for new connections; those that are here keep what they began with',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets });
    await dial(scope, serving.port);
    await serving.told('arrived');
    serving.config$.next(
      makeConfig({
        connectTimeoutMs: Number.POSITIVE_INFINITY,
        idleTimeoutMs: 7,
        maxConcurrency: 2,
      }),
    );
    await dial(scope, serving.port);
    const [old, fresh] = await serving.told('arrived', 2);
    assert.deepEqual(
      [old, fresh].map((event) => event?.envelope.deadline),
      [10_000, Number.POSITIVE_INFINITY],
    );
    assert.deepEqual(
      [old, fresh].map(
        (event) => serving.clients.take(event?.envelope.id ?? 0)?.limits.idleTimeoutMs,
      ),
      [Number.POSITIVE_INFINITY, 7],
    );
    assert.equal(await ended(open(scope, serving.port)), 'ECONNRESET');
    assert.equal(serving.all('listening').length, 1);
  },
);

onBoth(
  'when its configs end it stops listening and has ended; its connections live on',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startServing(scope, { sockets });
    const client = await dial(scope, serving.port);
    const [arrived] = await serving.told('arrived');
    serving.config$.complete();
    assert.deepEqual(serving.events.at(-1), {
      t: 'unlistened',
      rt: 'main',
      srv: serving.listener.srv,
    });
    assert.equal(serving.end.completed, true);
    assert.equal(await ended(open(scope, serving.port)), 'ECONNREFUSED');
    const taken = serving.clients.take(arrived?.envelope.id ?? 0);
    assert.ok(taken);
    scope.after(taken.socket.destroy.bind(taken.socket));
    say(taken.socket, 'still here');
    const [text] = await within('bytes', once(client, 'data'));
    assert.equal(String(text), 'still here');
  },
);

onBoth('who unsubscribes stops the listening', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startServing(scope, { sockets });
  serving.subscription.unsubscribe();
  assert.equal(await ended(open(scope, serving.port)), 'ECONNREFUSED');
  assert.deepEqual(serving.end, { completed: false, error: undefined });
});

onBoth('a fault in its configs is passed on, not thrown', async (t, { sockets }) => {
  const serving = await startServing(makeScope(t), { sockets });
  serving.config$.error('fault');
  assert.equal(serving.end.error, 'fault');
});
