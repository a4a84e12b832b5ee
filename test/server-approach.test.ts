/** A connection before it is routed: PROXY header, ClientHello, sources, and the rule that holds. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import type { IdentifyRule, NamedRule, ServerConfig } from '../src/config/config.ts';
import type { Envelope } from '../src/envelope.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { clientHello } from './support/client-hello.ts';
import { eventually, within } from './support/eventually.ts';
import { takeOver } from './support/hearer.ts';
import { makeScope, type Scope } from './support/process.ts';
import { dial, ended, type Serving, startServing } from './support/serving.ts';
import { onBoth, turn } from './support/sockets.ts';
import { serverTls } from './support/tls-settings.ts';

const rule = (conditions: NamedRule['conditions'], dst: string): IdentifyRule => ({
  place: `for ${dst}`,
  conditions,
  dst,
});

const RULES = [
  rule({ sni: ['*.db.example'] }, '/db/{sni}'),
  rule({ alpn: ['redis'] }, '/redis'),
  rule({ source: ['10.0.0.0/8'] }, '/lan'),
  rule({}, '/rest'),
];

interface Place {
  readonly scope: Scope;
  readonly sockets: Sockets;
}

const start = ({ scope, sockets }: Place, settings: Partial<ServerConfig>): Promise<Serving> =>
  startServing(scope, { sockets, settings: { identify: RULES, ...settings } });

const PEEK = { peek: { timeoutMs: 3000 } };
const PROXY = { proxyProtocol: { trust: ['127.0.0.1'], required: true, timeoutMs: 3000 } };
const OPTIONAL = { proxyProtocol: { ...PROXY.proxyProtocol, required: false } };

const arrival = async (serving: Serving): Promise<Envelope> => {
  const [arrived] = await serving.told('arrived');
  assert.ok(arrived);
  return arrived.envelope;
};

/** What was said so far to whoever takes the client now. */
const heardBy = async ({ clients }: Serving, { id }: Envelope, length: number): Promise<string> => {
  const client = clients.take(id);
  assert.ok(client);
  return takeOver(client).gets(length);
};

/** What was found where a ClientHello was looked for. */
const foundBy = (serving: Serving): string =>
  serving
    .all('peeked')
    .map(({ found }) => found)
    .join();

const refusal = async (serving: Serving): Promise<string> => {
  const [rejected] = await serving.told('rejected');
  const { reason = '', limit = '', detail = '' } = rejected?.close ?? {};
  await eventually('the base line', () => serving.descriptors.held === 0);
  assert.equal(serving.timers.size(), 0);
  return [reason, limit, detail].filter(Boolean).join(' ');
};

onBoth('a peeked ClientHello decides, and passes on untouched', async (t, { sockets }) => {
  const serving = await start({ scope: makeScope(t), sockets }, PEEK);
  const hello = await clientHello({ servername: 'A.db.example', ALPNProtocols: ['h2', 'redis'] });
  const client = await dial(makeScope(t), serving.port);
  for (const byte of hello) {
    client.write(Buffer.of(byte));
    await turn();
  }
  client.write('and more');
  const envelope = await arrival(serving);
  const { dst, rule: held, sni, alpn, tls: version } = envelope;
  assert.deepEqual(
    [dst, held, sni, alpn, version],
    ['/db/a.db.example', 'for /db/{sni}', 'a.db.example', 'h2', 'TLSv1.3'],
  );
  const whole = `${hello.toString('latin1')}and more`;
  assert.equal(await heardBy(serving, envelope, whole.length), whole);
  assert.equal(foundBy(serving), 'hello');
});

onBoth('any protocol that a ClientHello offers may be the one', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, PEEK);
  const client = await dial(scope, serving.port);
  client.write(await clientHello({ ALPNProtocols: ['h2', 'redis'] }));
  assert.equal((await arrival(serving)).dst, '/redis');
});

onBoth('what is no TLS goes where one without a name does, at once', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, PEEK);
  (await dial(scope, serving.port)).write('SELECT 1');
  const envelope = await arrival(serving);
  assert.deepEqual([envelope.dst, envelope.sni], ['/rest', undefined]);
  assert.equal(await heardBy(serving, envelope, 8), 'SELECT 1');
  assert.equal(foundBy(serving), 'plain');
});

onBoth('so does a client that says nothing, when its time is up', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, PEEK);
  const client = await dial(scope, serving.port);
  await serving.told('accepted');
  serving.clock.advance(2999);
  assert.equal(serving.all('arrived').length, 0);
  serving.clock.advance(1);
  const envelope = await arrival(serving);
  assert.equal(envelope.dst, '/rest');
  assert.equal(foundBy(serving), 'late');
  client.write('late');
  assert.equal(await heardBy(serving, envelope, 4), 'late');
});

onBoth('and one that ends before its ClientHello is whole', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, PEEK);
  const client = await dial(scope, serving.port);
  client.end((await clientHello()).subarray(0, 20));
  const envelope = await arrival(serving);
  const taken = serving.clients.take(envelope.id);
  assert.ok(taken);
  const hearer = takeOver(taken);
  await hearer.gets(20);
  assert.equal(foundBy(serving), 'ended');
  assert.equal(taken.hasEnded || hearer.told.includes('ended'), true);
});

const BROKEN = [
  ['a record of another kind within it', Buffer.of(22, 3, 1, 0, 5, 1, 0, 1, 0, 0, 21, 3, 1), /./],
  ['lengths that do not add up', Buffer.of(22, 3, 1, 0, 4, 1, 0, 0, 9), /./],
  ['a length of megabytes', Buffer.of(22, 3, 1, 0, 4, 1, 255, 255, 255), /over 65536/],
] as const;

for (const [what, bytes, detail] of BROKEN)
  onBoth(`a ClientHello with ${what} is refused and counted`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, PEEK);
    const client = await dial(scope, serving.port);
    client.write(bytes);
    assert.equal(await ended(client), 'ECONNRESET');
    const told = await refusal(serving);
    assert.match(told, /^client-hello /);
    assert.match(told, detail);
  });

onBoth('a client that resets while it is peeked at leaves nothing', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await start({ scope, sockets }, PEEK);
  const client = await dial(scope, serving.port);
  client.write(Buffer.of(22, 3, 1));
  await serving.told('accepted');
  client.resetAndDestroy();
  assert.equal(await refusal(serving), 'departed ECONNRESET');
});

onBoth('TLS begins behind the header, in the same segment', async (t, { sockets }) => {
  const scope = makeScope(t);
  const identity = await makeCert('x.db.example');
  const settings = { ...PROXY, tls: serverTls({ defaultIdentity: identity }) };
  const serving = await start({ scope, sockets }, settings);
  const raw = await dial(scope, serving.port);
  raw.cork();
  raw.write('PROXY TCP6 2001:db8::9 2001:db8::1 4000 443\r\n');
  const options = { servername: 'x.db.example', rejectUnauthorized: false };
  const client = tls.connect({ socket: raw, ...options }).on('error', () => undefined);
  scope.after(() => {
    client.destroy();
  });
  await turn();
  raw.uncork();
  await within('a handshake', once(client, 'secureConnect'));
  client.write('hello');
  const envelope = await arrival(serving);
  const { src, sni, dst, tls: version } = envelope;
  const wanted = ['[2001:db8::9]:4000', 'x.db.example', '/db/x.db.example', 'TLSv1.3'];
  assert.deepEqual([src, sni, dst, version], wanted);
  assert.equal(await heardBy(serving, envelope, 5), 'hello');
});

const REFUSED = [
  ['broken', PROXY, 'PROXY TCP4 nowhere\r\n', /^proxy-protocol a line that is not/],
  ['broken though optional', OPTIONAL, 'PROXY TCP4 nowhere\r\n', /^proxy-protocol a line/],
  ['missing', PROXY, 'SELECT 1', /^proxy-protocol no header/],
] as const;

for (const [what, settings, said, close] of REFUSED)
  onBoth(`a header that is ${what} is refused, and never passed on`, async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await start({ scope, sockets }, settings);
    const client = await dial(scope, serving.port);
    client.write(said);
    assert.equal(await ended(client), 'ECONNRESET');
    assert.match(await refusal(serving), close);
    assert.equal(serving.all('arrived').length, 0);
  });

onBoth(
  'silence is refused where a header is required, and let in where not',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const strict = await start({ scope, sockets }, PROXY);
    const lax = await start({ scope, sockets }, OPTIONAL);
    await Promise.all([dial(scope, strict.port), dial(scope, lax.port)]);
    for (const serving of [strict, lax]) {
      await serving.told('accepted');
      serving.clock.advance(3000);
    }
    assert.equal(await refusal(strict), 'proxy-protocol none in 3000ms');
    assert.equal((await arrival(lax)).dst, '/rest');
  },
);
