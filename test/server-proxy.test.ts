/** PROXY headers on real sockets: in pieces, with what follows in the same segment, and before TLS. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { encodeProxyHeader } from '../src/proxy-protocol/encode.ts';
import { makeCert } from './support/certs.ts';
import { within } from './support/eventually.ts';
import { takeOver } from './support/hearer.ts';
import { hello, sni } from './support/hello-bytes.ts';
import { makeScope } from './support/process.ts';
import { firstOf, header, refusal, sayEach, startProxied, trusting } from './support/proxied.ts';
import { dial, ended } from './support/serving.ts';
import { onBoth, turn } from './support/sockets.ts';
import { serverTls } from './support/tls-settings.ts';

for (const version of [1, 2] as const) {
  onBoth(`version ${version} byte by byte`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startProxied({ scope, sockets }, trusting(true));
    const client = await dial(scope, serving.port, { noDelay: true });
    await sayEach(client, header(version));
    await sayEach(client, Buffer.from('SELECT 1'));
    const taken = await firstOf(serving);
    const { envelope } = taken;
    const heard = await takeOver(taken).gets(8);
    const { src, local, peer, dst } = envelope;
    assert.deepEqual(
      [src, local, peer, dst, heard],
      ['10.1.2.3:4000', '192.0.2.1:5432', `127.0.0.1:${client.localPort}`, '/svc/lan', 'SELECT 1'],
    );
  });

  onBoth(
    `what stands behind version ${version} in the same segment is kept, the end too`,
    async (t, { sockets }) => {
      const scope = makeScope(t);
      const serving = await startProxied({ scope, sockets }, trusting(true));
      const client = await dial(scope, serving.port);
      client.end(Buffer.concat([header(version), Buffer.from('SELECT 1')]));
      const hearer = takeOver(await firstOf(serving));
      await hearer.end();
      assert.equal(hearer.text, 'SELECT 1');
    },
  );

  onBoth(`a ClientHello behind version ${version} is peeked at`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startProxied(
      { scope, sockets },
      { ...trusting(true), peek: { timeoutMs: 3000 } },
    );
    const bytes = hello({ extensions: [sni('shop.example')] });
    const client = await dial(scope, serving.port);
    // The first bytes come with the header, the rest on its own.
    client.write(Buffer.concat([header(version), bytes.subarray(0, 7)]));
    await serving.told('accepted');
    await turn();
    client.write(bytes.subarray(7));
    const taken = await firstOf(serving);
    const { envelope } = taken;
    const heard = await takeOver(taken).gets(bytes.length);
    assert.deepEqual([envelope.src, envelope.dst], ['10.1.2.3:4000', '/svc/shop']);
    assert.equal(heard, bytes.toString('latin1'));
  });

  onBoth(`a handshake behind version ${version} byte by byte`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const defaultIdentity = await makeCert('shop.example');
    const settings = { ...trusting(true), tls: serverTls({ defaultIdentity }) };
    const serving = await startProxied({ scope, sockets }, settings);
    const raw = await dial(scope, serving.port, { noDelay: true });
    await sayEach(raw, header(version, { authority: 'other.example', alpn: 'h2' }));
    const options = { servername: 'Shop.Example', rejectUnauthorized: false };
    const client = tls.connect({ socket: raw, ...options }).on('error', () => undefined);
    scope.after(() => {
      client.destroy();
    });
    await within('a handshake', once(client, 'secureConnect'));
    client.write('SELECT 1');
    const taken = await firstOf(serving);
    const { envelope } = taken;
    const heard = await takeOver(taken).gets(8);
    const { src, sni: asked, alpn, dst } = envelope;
    // What the proxy has said of another handshake does not count beside ours.
    assert.deepEqual(
      [src, asked, alpn, dst, heard],
      ['10.1.2.3:4000', 'shop.example', undefined, '/svc/shop', 'SELECT 1'],
    );
  });
}

onBoth('a name and a protocol that the proxy tells are the client’s', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startProxied({ scope, sockets }, trusting(true));
  const client = await dial(scope, serving.port);
  client.write(header(2, { authority: 'Shop.Example.', alpn: 'h2' }));
  const { envelope } = await firstOf(serving);
  const { sni: asked, alpn, dst } = envelope;
  assert.deepEqual([asked, alpn, dst], ['shop.example', 'h2', '/svc/shop']);
});

onBoth('a proxy that speaks for itself keeps its own addresses', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startProxied({ scope, sockets }, trusting(true));
  for (const version of [1, 2] as const) {
    const client = await dial(scope, serving.port);
    client.write(encodeProxyHeader({ version }));
    const { envelope } = (await serving.told('arrived', version))[version - 1] ?? {};
    const own = `127.0.0.1:${client.localPort}`;
    const { src, peer, dst, local } = envelope ?? {};
    assert.deepEqual([src, peer, dst, local], [own, own, '/svc/rest', undefined]);
  }
});

onBoth('who is let in is asked of the client, not of the proxy', async (t, { sockets }) => {
  const scope = makeScope(t);
  const sources = { allow: ['127.0.0.0/8'], deny: [] };
  const serving = await startProxied({ scope, sockets }, { ...trusting(true), sources });
  const client = await dial(scope, serving.port);
  client.write(header(2));
  assert.equal(await ended(client), 'ECONNRESET');
  assert.equal(await refusal(serving), 'source-denied');
  assert.equal(serving.all('rejected')[0]?.src, '10.1.2.3:4000');
});

onBoth('an IPv4 client told as IPv6 is still the IPv4 client', async (t, { sockets }) => {
  const scope = makeScope(t);
  const sources = { allow: [], deny: ['10.0.0.0/8'] };
  const serving = await startProxied({ scope, sockets }, { ...trusting(true), sources });
  const client = await dial(scope, serving.port);
  client.write('PROXY TCP6 ::ffff:10.1.2.3 ::1 4000 5432\r\n');
  assert.equal(await ended(client), 'ECONNRESET');
  assert.equal(await refusal(serving), 'source-denied');
});

onBoth(
  'a header of somebody who is not trusted is passed on, in front of all',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startProxied({ scope, sockets }, trusting(false, '192.0.2.0/24'));
    const client = await dial(scope, serving.port);
    const bytes = Buffer.concat([header(2), Buffer.from('SELECT 1')]);
    client.write(bytes);
    const taken = await firstOf(serving);
    const { envelope } = taken;
    const heard = await takeOver(taken).gets(bytes.length);
    assert.equal(heard, bytes.toString('latin1'));
    assert.deepEqual(
      [envelope.src, envelope.peer, envelope.dst],
      [`127.0.0.1:${client.localPort}`, undefined, '/svc/rest'],
    );
  },
);
