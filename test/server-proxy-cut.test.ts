/** Clients behind a PROXY header that end, reset, or say what is no handshake: none is left, and none counts on. */
import assert from 'node:assert/strict';
import { makeCert } from './support/certs.ts';
import { clientHello } from './support/client-hello.ts';
import { eventually } from './support/eventually.ts';
import { takeOver } from './support/hearer.ts';
import { makeScope } from './support/process.ts';
import { firstOf, header, refusal, startProxied, trusting } from './support/proxied.ts';
import { dial, ended } from './support/serving.ts';
import { onBoth } from './support/sockets.ts';
import { serverTls } from './support/tls-settings.ts';

const CUT = [
  ['version 1', Buffer.from('PROXY TCP4 10.1.2.3 ')],
  ['version 2', header(2).subarray(0, 20)],
  ['either', Buffer.alloc(0)],
] as const;

for (const [what, bytes] of CUT) {
  onBoth(`the end within a header of ${what} is refused, where one must come`, async (t, kit) => {
    const scope = makeScope(t);
    const serving = await startProxied({ scope, sockets: kit.sockets }, trusting(true));
    const client = await dial(scope, serving.port);
    client.end(bytes);
    assert.equal(await ended(client), 'ECONNRESET');
    const wanted = 'proxy-protocol the client ended before it was whole';
    assert.equal(await refusal(serving), wanted);
  });

  onBoth(`a reset within a header of ${what} leaves nothing`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startProxied({ scope, sockets }, trusting(true));
    const client = await dial(scope, serving.port);
    client.write(bytes);
    await serving.told('accepted');
    client.resetAndDestroy();
    assert.equal(await refusal(serving), 'departed ECONNRESET');
  });

  onBoth(
    `the end within a header of ${what} is the client’s own, where none must come`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await startProxied({ scope, sockets }, trusting(false));
      const client = await dial(scope, serving.port);
      client.end(bytes);
      const hearer = takeOver(await firstOf(serving));
      await hearer.end();
      assert.equal(hearer.text, bytes.toString('latin1'));
    },
  );

  onBoth(
    `the end within a header of ${what} ends the handshake behind it at once`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const defaultIdentity = await makeCert('shop.example');
      const settings = { ...trusting(false), tls: serverTls({ defaultIdentity }) };
      const serving = await startProxied({ scope, sockets }, settings);
      const client = await dial(scope, serving.port);
      client.end(bytes);
      assert.match(await refusal(serving), /^tls-handshake /);
    },
  );
}

onBoth(
  'what is no handshake, and a name that is not ours, in the segment of the header: each refused, none counts on',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const tlsConfig = serverTls({
      identities: new Map([['shop.example', await makeCert('shop')]]),
    });
    const serving = await startProxied({ scope, sockets }, { ...trusting(true), tls: tlsConfig });
    const stranger = await clientHello({ servername: 'other.example' });
    const cases = [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'ERR_SSL_HTTP_REQUEST'],
      [stranger, 'ERR_SSL_UNRECOGNIZED_NAME'],
    ] as const;
    for (const [i, [bytes, detail]] of cases.entries()) {
      const client = await dial(scope, serving.port);
      client.write(Buffer.concat([header(2), bytes]));
      const rejected = (await serving.told('rejected', i + 1))[i];
      assert.deepEqual(rejected?.close, { reason: 'tls-handshake', by: 'client', detail });
      await eventually('the base line', () => serving.descriptors.held === 0);
      await ended(client);
      client.destroy();
    }
    assert.equal(serving.timers.size(), 0);
  },
);
