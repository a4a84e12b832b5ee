/** The socket pipe with TLS on either side or on both: the same promises, told by `close_notify`. */
import assert from 'node:assert/strict';
import { handlesGone, type Kit, onBoth, openHandles, pattern, stuck } from './support/sockets.ts';

const MIXES = [
  ['TLS to plain', 'connectTls', 'connectPlain'],
  ['plain to TLS', 'connectPlain', 'connectTls'],
  ['TLS to TLS', 'connectTls', 'connectTls'],
] as const;

/** A stream may hold so much: two directions, each with leased memory, or the slack and one read. */
const MOST_HELD = 2 * 1_048_576;

for (const [mix, inbound, outbound] of MIXES) {
  const connected = async (kit: Pick<Kit, 'connectPlain' | 'connectTls'>) => ({
    client: await kit[inbound]('far'),
    endpoint: await kit[outbound]('near'),
  });

  onBoth(`${mix}: ends travel one by one, both ways (case 12)`, async (t, kit) => {
    for (const [ender, other] of [
      ['client', 'endpoint'],
      ['endpoint', 'client'],
    ] as const) {
      const joined = await kit.join(t, await connected(kit));
      joined[ender].socket.end('question');
      assert.equal(await joined[other].outcome, 'end');
      assert.equal(joined[other].text, 'question');
      joined[other].socket.end(pattern(1, 0, 300_000));
      assert.equal(await joined[ender].outcome, 'end');
      assert.ok(joined[ender].received.equals(pattern(1, 0, 300_000)));
      assert.deepEqual((await joined.summary).close, { reason: 'end', by: ender });
    }
  });

  onBoth(`${mix}: megabytes both ways arrive whole, to a late reader too`, async (t, kit) => {
    const joined = await kit.join(t, { ...(await connected(kit)), reading: false });
    const { client, endpoint, budget, summary } = joined;
    client.socket.end(pattern(2, 0, 16_000_000));
    endpoint.socket.end(pattern(3, 0, 16_000_000));
    await stuck(joined, 'client');
    await stuck(joined, 'endpoint');
    assert.ok(budget.held > 0 && budget.held <= MOST_HELD, `${budget.held} held`);
    for (const peer of [client, endpoint]) peer.read();
    await Promise.all([client.outcome, endpoint.outcome]);
    assert.ok(endpoint.received.equals(pattern(2, 0, 16_000_000)));
    assert.ok(client.received.equals(pattern(3, 0, 16_000_000)));
    const { rx, tx } = await summary;
    assert.deepEqual([rx, tx], [16_000_000, 16_000_000]);
  });

  onBoth(`${mix}: a reset of either side ends both and leaves nothing`, async (t, kit) => {
    const before = openHandles();
    for (const [leaver, other] of [
      ['client', 'endpoint'],
      ['endpoint', 'client'],
    ] as const)
      for (const flooded of [false, true]) {
        const sockets = await connected(kit);
        const joined = await kit.join(t, { ...sockets, reading: false });
        for (const { socket } of [joined.client, joined.endpoint])
          socket.on('error', () => undefined);
        if (flooded) {
          joined[other].socket.write(pattern(4, 0, 24_000_000));
          await stuck(joined, leaver);
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
