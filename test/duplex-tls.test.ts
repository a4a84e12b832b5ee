/** The socket pipe with TLS on either side or on both: the same promises, told by `close_notify`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connectPlain,
  connectTls,
  handlesGone,
  join,
  openHandles,
  pattern,
  turn,
} from './support/sockets.ts';

const MIXES = [
  ['TLS to plain', connectTls, connectPlain],
  ['plain to TLS', connectPlain, connectTls],
  ['TLS to TLS', connectTls, connectTls],
] as const;

for (const [mix, inbound, outbound] of MIXES) {
  const connected = async () => ({
    client: await inbound('far'),
    endpoint: await outbound('near'),
  });

  test(`${mix}: ends travel one by one, both ways (case 12)`, async (t) => {
    for (const [ender, other] of [
      ['client', 'endpoint'],
      ['endpoint', 'client'],
    ] as const) {
      const joined = await join(t, await connected());
      joined[ender].socket.end('question');
      assert.equal(await joined[other].outcome, 'end');
      assert.equal(joined[other].text, 'question');
      joined[other].socket.end(pattern(1, 0, 300_000));
      assert.equal(await joined[ender].outcome, 'end');
      assert.ok(joined[ender].received.equals(pattern(1, 0, 300_000)));
      assert.deepEqual((await joined.summary).close, { reason: 'end', by: ender });
    }
  });

  test(`${mix}: megabytes both ways arrive whole, to a late reader too`, async (t) => {
    const { client, endpoint, budget, summary } = await join(t, {
      ...(await connected()),
      reading: false,
    });
    client.socket.end(pattern(2, 0, 16_000_000));
    endpoint.socket.end(pattern(3, 0, 16_000_000));
    while (budget.held < 262_144) await turn();
    for (let i = 0; i < 100; i++) await turn();
    assert.ok(budget.held < 2 * (262_144 + 65_536), `${budget.held} held`);
    for (const peer of [client, endpoint]) peer.read();
    await Promise.all([client.outcome, endpoint.outcome]);
    assert.ok(endpoint.received.equals(pattern(2, 0, 16_000_000)));
    assert.ok(client.received.equals(pattern(3, 0, 16_000_000)));
    const { rx, tx } = await summary;
    assert.deepEqual([rx, tx], [16_000_000, 16_000_000]);
  });

  test(`${mix}: a reset of either side ends both and leaves nothing`, async (t) => {
    const before = openHandles();
    for (const [leaver, other] of [
      ['client', 'endpoint'],
      ['endpoint', 'client'],
    ] as const)
      for (const flooded of [false, true]) {
        const sockets = await connected();
        const joined = await join(t, { ...sockets, reading: false });
        for (const { socket } of [joined.client, joined.endpoint])
          socket.on('error', () => undefined);
        if (flooded) {
          joined[other].socket.write(pattern(4, 0, 24_000_000));
          while (!joined.near[other].isPaused()) await turn();
        }
        joined[leaver].resets();
        joined[other].read();
        const { close } = await joined.summary;
        assert.deepEqual([close.reason, close.by], ['reset', leaver]);
        const outcome = await joined[other].outcome;
        if (!flooded) assert.equal(outcome, 'ECONNRESET');
        for (const { socket } of [joined.client, joined.endpoint]) socket.destroy();
      }
    await handlesGone(before);
  });
}
