/** Spares: a dead one is never handed out, and a live one has lost nothing. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Spare } from '../src/connector/spare.ts';
import { within } from './support/eventually.ts';
import { overhear, say, takeOver, whenReleased } from './support/hearer.ts';
import { type Connection, onBoth, Peer, turn } from './support/sockets.ts';

/** A spare, watched from the start; `heard` is what the spare hears. */
const watched = async (t: TestContext, connected: Promise<Connection>) => {
  const connection = await connected;
  const { near, far, transport } = connection;
  const peer = new Peer(connection);
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  let settle: () => void = () => undefined;
  const told = { gone: 0 };
  const gone = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const spare = new Spare(near, () => {
    assert.equal(near.isOpen, false, 'it is closed by then');
    told.gone += 1;
    settle();
  });
  const released = whenReleased(near);
  spare.begin();
  const heard = overhear(near);
  return {
    near,
    far,
    transport,
    peer,
    spare,
    told,
    released,
    heard,
    gone: () => within('gone', gone),
  };
};

for (const [kind, connect] of [
  ['plain', 'connectPlain'],
  ['TLS', 'connectTls'],
] as const) {
  onBoth(`a ${kind} spare that its endpoint ends is gone, and closed`, async (t, kit) => {
    const { far, gone, told, peer } = await watched(t, kit[connect]('near'));
    far.end();
    await gone();
    peer.read();
    await within('its end', peer.outcome);
    await turn();
    assert.equal(told.gone, 1);
  });

  onBoth(`a ${kind} spare that its endpoint resets is gone`, async (t, kit) => {
    const { near, transport, gone, told } = await watched(t, kit[connect]('near'));
    transport.resetAndDestroy();
    await gone();
    await turn();
    assert.equal(near.isOpen, false);
    assert.equal(told.gone, 1);
  });

  onBoth(
    `a ${kind} spare whose endpoint speaks first lives on, and hands its words over`,
    async (t, kit) => {
      const { near, far, peer, told, spare, heard } = await watched(t, kit[connect]('near'));
      let length = 0;
      for (const word of ['220 ', 'ready', '\r\n']) {
        far.write(word);
        length += word.length;
        await heard.gets(length);
        await turn();
      }
      assert.equal(told.gone, 0);
      const hearer = takeOver(spare);
      say(near, 'hello');
      await within('bytes', peer.read().gets(5));
      assert.equal(peer.text, 'hello');
      far.end('bye');
      await hearer.end();
      assert.equal(hearer.text, '220 ready\r\nbye');
      assert.deepEqual(hearer.told, ['data', 'ended']);
      assert.equal(told.gone, 0);
    },
  );

  onBoth(`a ${kind} spare that was ended behind its greeting is gone (B19)`, async (t, kit) => {
    const { far, gone, told, heard } = await watched(t, kit[connect]('near'));
    far.write('too slow');
    await heard.gets(8);
    await turn();
    assert.equal(told.gone, 0);
    far.end();
    await gone();
    assert.equal(told.gone, 1);
  });
}

onBoth('a greeting and an end that come as one are an end', async (t, kit) => {
  const { far, gone, told, released } = await watched(t, kit.connectPlain('near'));
  far.end('too many connections');
  await gone();
  await turn();
  assert.deepEqual([told.gone, released.count()], [1, 1]);
});

onBoth('a spare that somebody else owns tells nothing', async (t, kit) => {
  const { far, spare, told } = await watched(t, kit.connectPlain('near'));
  const hearer = takeOver(spare);
  far.resetAndDestroy();
  assert.equal(await hearer.failure(), 'ECONNRESET');
  await turn();
  assert.equal(told.gone, 0);
});

onBoth('what came before the watch began is kept, and no end', async (t, kit) => {
  const connection = await kit.connectPlain('near');
  const { near, far } = connection;
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  await new Peer(connection).says('220 ready');
  let isGone = false;
  const spare = new Spare(near, () => {
    isGone = true;
  });
  spare.begin();
  await overhear(near).gets(spare.said.length === 0 ? 9 : 0);
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(isGone, false);
  assert.equal(String(Buffer.concat(spare.said)), '220 ready');
});
