/** Spares: a dead one is never handed out, and a live one has lost nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { watchSpare } from '../src/connector/spare.ts';
import { eventually, within } from './support/eventually.ts';
import { type Connection, connectPlain, connectTls, turn } from './support/sockets.ts';

const EVENTS = ['error', 'close', 'end', 'data', 'readable'] as const;

const watched = async (t: TestContext, connected: Promise<Connection>) => {
  const { near, far, transport } = await connected;
  for (const socket of [near, far]) socket.on('error', () => undefined);
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  const listeners = (): readonly number[] => EVENTS.map((event) => near.listenerCount(event));
  const before = listeners();
  let settle: () => void = () => undefined;
  const told = { gone: 0 };
  const gone = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const unwatch = watchSpare(near, () => {
    told.gone += 1;
    settle();
  });
  return {
    near,
    far,
    transport,
    before,
    listeners,
    told,
    unwatch,
    gone: () => within('gone', gone),
  };
};

for (const [kind, connect] of [
  ['plain', connectPlain],
  ['TLS', connectTls],
] as const) {
  test(`a ${kind} spare that its endpoint ends is gone`, async (t) => {
    const { far, gone, told, listeners, before } = await watched(t, connect('near'));
    far.end();
    await gone();
    await turn();
    assert.equal(told.gone, 1);
    assert.deepEqual(listeners(), before);
  });

  test(`a ${kind} spare that its endpoint resets is gone`, async (t) => {
    const { near, transport, gone, told } = await watched(t, connect('near'));
    transport.resetAndDestroy();
    await gone();
    await eventually('closed', () => near.destroyed);
    assert.equal(told.gone, 1);
  });

  test(`a ${kind} spare whose endpoint speaks first lives on, and hands its words over`, async (t) => {
    const { near, far, told, unwatch, listeners, before } = await watched(t, connect('near'));
    for (const word of ['220 ', 'ready', '\r\n']) {
      const length = near.readableLength;
      far.write(word);
      await eventually('it is here', () => near.readableLength === length + word.length);
      await turn();
    }
    assert.equal(told.gone, 0);
    unwatch();
    assert.deepEqual(listeners(), before);
    const chunks: string[] = [];
    near.on('data', (chunk) => chunks.push(String(chunk)));
    near.resume();
    near.write('hello');
    const [hello] = await within('bytes', once(far, 'data'));
    assert.equal(String(hello), 'hello');
    far.end('bye');
    await within('the end', once(near, 'end'));
    assert.equal(chunks.join(''), '220 ready\r\nbye');
  });

  test(`a ${kind} spare that was ended behind its greeting is gone (B19)`, async (t) => {
    const { near, far, gone, told } = await watched(t, connect('near'));
    far.write('too slow');
    await eventually('it is here', () => near.readableLength > 0);
    await turn();
    assert.equal(told.gone, 0);
    far.end();
    await gone();
    assert.equal(told.gone, 1);
  });
}

test('a greeting and an end that come as one are an end', async (t) => {
  const { far, gone } = await watched(t, connectPlain('near'));
  far.end('too many connections');
  await gone();
});

test('a spare that is no longer watched tells nothing', async (t) => {
  const { near, far, unwatch, told } = await watched(t, connectPlain('near'));
  unwatch();
  unwatch();
  far.resetAndDestroy();
  near.resume();
  await eventually('closed', () => near.destroyed);
  await turn();
  assert.equal(told.gone, 0);
});

test('what came before the watch began is no end', async (t) => {
  const { near, far } = await connectPlain('near');
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  far.write('220 ready');
  await eventually('it is here', () => near.readableLength > 0);
  let isGone = false;
  watchSpare(near, () => {
    isGone = true;
  });
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(isGone, false);
  assert.equal(near.readableLength, 9);
});
