/** ClientHellos that are looked at and passed on: however they are cut, however long, and for how long they are waited for. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import type { IdentifyRule, ServerConfig } from '../src/config/config.ts';
import { LONGEST_HEADER } from '../src/proxy-protocol/decode.ts';
import { LONGEST_HELLO } from '../src/server/approach.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { eventually } from './support/eventually.ts';
import { takeOver } from './support/hearer.ts';
import { body, extension, message, record, records, sni } from './support/hello-bytes.ts';
import { makeScope, type Scope } from './support/process.ts';
import { dial, ended, makeConfig, open, type Serving, startServing } from './support/serving.ts';
import { handlesGone, onBoth, openHandles, turn } from './support/sockets.ts';

const NAMED: IdentifyRule = {
  place: 'named',
  conditions: { sni: ['{name}.example'] },
  dst: '/{name}',
};
const REST: IdentifyRule = { place: 'rest', conditions: {}, dst: '/rest' };
const PEEK = { peek: { timeoutMs: 3000 } };

interface Where {
  readonly scope: Scope;
  readonly sockets: Sockets;
}

const start = (
  { scope, sockets }: Where,
  identify: readonly IdentifyRule[],
  settings: Partial<ServerConfig> = {},
): Promise<Serving> =>
  startServing(scope, { sockets, settings: { ...PEEK, identify, ...settings } });

/** A message for a.example, padded to so many bytes. */
const helloOf = (length: number): Buffer => {
  const wanted = (padding: number): Buffer =>
    message(body({ extensions: [sni('a.example'), extension(21, Buffer.alloc(padding))] }));
  return wanted(length - wanted(0).length);
};

/** What the last one that arrived was identified as, and what its client has said. */
const arrival = async (serving: Serving, index: number, length: number) => {
  const arrived = (await serving.told('arrived', index + 1))[index];
  const taken = serving.clients.take(arrived?.envelope.id ?? 0);
  assert.ok(taken);
  const hearer = takeOver(taken);
  await hearer.gets(length);
  return { dst: arrived?.envelope.dst, hearer };
};

const nothingLeft = async (serving: Serving): Promise<void> => {
  await eventually('the base line', () => serving.descriptors.held === 0);
  assert.equal(serving.timers.size(), 0, 'a limit is left');
};

const sayInPieces = async (client: Socket, bytes: Buffer, sizes: readonly number[]) => {
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    client.write(bytes.subarray(from, from + size));
    from += size;
    await turn();
  }
};

onBoth(
  'records and segments may end anywhere; the bytes stay as they were',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, [NAMED, REST]);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }),
        fc.uint8Array({ maxLength: 50 }),
        async (recordSize, sizes, more) => {
          const bytes = Buffer.concat([records(helloOf(200), recordSize), more]);
          const client = await dial(scope, serving.port, { noDelay: true });
          await sayInPieces(client, bytes, sizes);
          const { dst, hearer } = await arrival(serving, count, bytes.length);
          count += 1;
          assert.equal(dst, '/a');
          assert.deepEqual(hearer.received, bytes);
          client.destroy();
        },
      ),
      { numRuns: 40 },
    );
  },
);

onBoth('the longest ClientHello that is read has 64 KiB', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, [NAMED, REST]);
  const bytes = records(helloOf(LONGEST_HELLO), 16_384);
  const client = await dial(scope, serving.port);
  client.write(bytes);
  const { dst, hearer } = await arrival(serving, 0, bytes.length);
  assert.equal(dst, '/a');
  assert.deepEqual(hearer.received, bytes);
});

const flood = (): Buffer => records(helloOf(LONGEST_HELLO), 1);

const REFUSED: readonly (readonly [what: string, bytes: () => Buffer, detail: string])[] = [
  [
    'of a byte more',
    () => records(helloOf(LONGEST_HELLO + 1), 16_384),
    `over ${LONGEST_HELLO} bytes`,
  ],
  ['in records of a byte each', flood, `over ${LONGEST_HELLO + LONGEST_HEADER} bytes`],
  [
    'with an alert within',
    () =>
      Buffer.concat([record(helloOf(200).subarray(0, 100)), record(Buffer.of(2, 40), 0x0301, 21)]),
    'a record of type 21 comes before the end of the ClientHello',
  ],
];

for (const [what, bytes, detail] of REFUSED)
  onBoth(
    `a ClientHello ${what} is refused, though all others have a rule`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await start({ scope, sockets }, [NAMED, REST]);
      const client = await dial(scope, serving.port);
      client.write(bytes());
      assert.equal(await ended(client), 'ECONNRESET');
      const [rejected] = await serving.told('rejected');
      assert.deepEqual(rejected?.close, {
        reason: 'client-hello',
        by: 'client',
        place: 'routers[0].servers[0]',
        detail,
      });
      await nothingLeft(serving);
      assert.equal(serving.all('arrived').length, 0);
    },
  );

const UNNAMED: readonly (readonly [what: string, say: (client: Socket) => void, ms: number])[] = [
  ['says nothing', () => undefined, 3000],
  ['dribbles', (client) => void client.write(record(helloOf(200)).subarray(0, 50)), 3000],
  ['speaks something else', (client) => void client.write('SELECT 1'), 0],
  ['ends', (client) => void client.end(), 0],
];

for (const [what, say, ms] of UNNAMED)
  onBoth(
    `a client that ${what} is refused where only names lead anywhere`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await start({ scope, sockets }, [NAMED]);
      const client = await dial(scope, serving.port);
      await serving.told('accepted');
      say(client);
      if (ms > 0) {
        await turn();
        serving.clock.advance(ms - 1);
        assert.equal(serving.all('rejected').length, 0);
        serving.clock.advance(1);
      }
      const [rejected] = await serving.told('rejected');
      const place = 'routers[0].servers[0].identify';
      assert.deepEqual(rejected?.close, { reason: 'unidentified', by: 'proxy', place });
      assert.equal(await ended(client), 'ECONNRESET');
      await nothingLeft(serving);
    },
  );

onBoth(
  'a name that comes in time has the time of a connection, not of a look',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, [NAMED], { connectTimeoutMs: 2000 });
    const bytes = record(helloOf(200));
    const [slow, slower] = [await dial(scope, serving.port), await dial(scope, serving.port)];
    await serving.told('accepted', 2);
    serving.clock.advance(1999);
    slow.write(bytes);
    const { dst } = await arrival(serving, 0, bytes.length);
    assert.equal(dst, '/a');
    serving.clock.advance(1);
    const [rejected] = await serving.told('rejected');
    assert.deepEqual(
      [rejected?.close.reason, rejected?.close.limit],
      ['connect-timeout', '2000ms'],
    );
    assert.equal(await ended(slower), 'ECONNRESET');
  },
);

onBoth(
  'a reload leaves alone who is being looked at; who unsubscribes drops them',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, [NAMED]);
    const [one, two] = [await dial(scope, serving.port), await dial(scope, serving.port)];
    await serving.told('accepted', 2);
    // Plain from now on, which old connections are not.
    serving.config$.next(makeConfig({ identify: [{ ...REST, dst: '/new' }] }));
    const { dst: fresh } = await dial(scope, serving.port).then(() => arrival(serving, 0, 0));
    assert.equal(fresh, '/new');
    one.write(record(helloOf(200)));
    const { hearer } = await arrival(serving, 1, record(helloOf(200)).length);
    assert.deepEqual(hearer.received, record(helloOf(200)));
    serving.subscription.unsubscribe();
    await ended(two);
    assert.equal(serving.timers.size(), 0);
    await eventually('the two that were taken', () => serving.descriptors.held === 2);
  },
);

onBoth(
  '600 clients that leave within a ClientHello leave nothing behind',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, [NAMED]);
    const before = openHandles();
    const bytes = record(helloOf(300));
    const gone = Array.from({ length: 600 }, (_, i) => {
      const client = open(scope, serving.port);
      client.on('connect', () => {
        client.write(bytes.subarray(0, i % (bytes.length - 1)));
        if (i % 3 === 0) client.resetAndDestroy();
        else if (i % 3 === 1) client.destroy();
        else client.end();
      });
      return ended(client);
    });
    await Promise.all(gone);
    await eventually('all are refused', () => {
      const [accepted, rejected] = [serving.all('accepted'), serving.all('rejected')];
      return accepted.length > 0 && accepted.length === rejected.length;
    });
    assert.equal(serving.all('arrived').length, 0);
    await nothingLeft(serving);
    await handlesGone(before);
  },
);
