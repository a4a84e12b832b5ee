/** TLS from clients: who is shown which certificate, and what becomes of handshakes that go wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { before } from 'node:test';
import tls from 'node:tls';
import { makeAddress } from '../src/address.ts';
import type { Identity, ServerConfig, ServerTlsConfig } from '../src/config/config.ts';
import type { TakenClient } from '../src/server/clients.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { clientHello } from './support/client-hello.ts';
import { eventually, within } from './support/eventually.ts';
import { say, takeOver } from './support/hearer.ts';
import { freePort, makeScope, type Scope } from './support/process.ts';
import { dial, ended, makeConfig, open, type Serving, startServing } from './support/serving.ts';
import { handlesGone, onBoth, openHandles, turn } from './support/sockets.ts';
import { serverTls } from './support/tls-settings.ts';

let fallback: Identity;
let shop: Identity;

before(async () => {
  [fallback, shop] = await Promise.all([makeCert('default.example'), makeCert('shop.example')]);
});

const makeTls = (settings: Partial<ServerTlsConfig> = {}): ServerTlsConfig =>
  serverTls({
    defaultIdentity: fallback,
    identities: new Map([['shop.example', shop]]),
    ...settings,
  });

interface Place {
  readonly scope: Scope;
  readonly sockets: Sockets;
}

const startSecure = (
  { scope, sockets }: Place,
  settings: Partial<ServerTlsConfig> = {},
  rest: Partial<ServerConfig> = {},
): Promise<Serving> =>
  startServing(scope, { sockets, settings: { tls: makeTls(settings), ...rest } });

/** Shakes hands on a connected socket. Errors: rejects when that fails. */
const shake = async (
  scope: Scope,
  socket: Socket,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> => {
  const secured = tls.connect({ socket, rejectUnauthorized: false, ...options });
  scope.after(() => {
    secured.destroy();
  });
  await within('a handshake', once(secured, 'secureConnect'));
  return secured.on('error', () => undefined);
};

const secureDial = async (
  scope: Scope,
  { port }: Serving,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> => shake(scope, await dial(scope, port), options);

/** Takes the arrived client with this index. */
const takeClient = ({ all, clients }: Serving, index = 0): TakenClient => {
  const client = clients.take(all('arrived')[index]?.envelope.id ?? 0);
  assert.ok(client);
  return client;
};

onBoth(
  'the certificate is that of the name asked for, in any case, or the default',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets });
    const asks = [
      [{ servername: 'shop.example' }, 'shop.example', 'shop.example'],
      [{ servername: 'ShOp.Example' }, 'shop.example', 'shop.example'],
      [{ servername: 'www.shop.example' }, 'default.example', 'www.shop.example'],
      [{}, 'default.example', undefined],
    ] as const;
    for (const [options, name, sni] of asks) {
      const socket = await secureDial(scope, serving, options);
      assert.equal(socket.getPeerCertificate().subject.CN, name);
      const arrived = await eventually('its envelope', () =>
        serving
          .all('arrived')
          .find(({ envelope }) => envelope.src.endsWith(`:${socket.localPort}`)),
      );
      assert.equal(arrived.envelope.sni, sni);
      assert.equal(arrived.envelope.alpn, undefined);
    }
    assert.equal(serving.all('secured').length, asks.length);
  },
);

onBoth(
  'the protocol is the first of the server’s that the client knows too',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure(
      { scope, sockets },
      { alpnProtocols: ['h2', 'redis', 'http/1.1'] },
    );
    const socket = await secureDial(scope, serving, { ALPNProtocols: ['http/1.1', 'redis'] });
    assert.equal(socket.alpnProtocol, 'redis');
    await secureDial(scope, serving);
    const arrived = await serving.told('arrived', 2);
    assert.deepEqual(
      arrived.map(({ envelope }) => envelope.alpn),
      ['redis', undefined],
    );
  },
);

onBoth(
  'without a common protocol the handshake fails, and both sides are told why',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets }, { alpnProtocols: ['h2'] });
    await assert.rejects(secureDial(scope, serving, { ALPNProtocols: ['redis'] }), {
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
    const [rejected] = await serving.told('rejected');
    assert.deepEqual(rejected?.close, {
      reason: 'tls-handshake',
      by: 'client',
      detail: 'ERR_SSL_NO_APPLICATION_PROTOCOL',
    });
    await eventually('the base line', () => serving.descriptors.held === 0);
  },
);

onBoth('a server without any identity rejects, and says what it lacks', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { identities: _, defaultIdentity: __, ...bare } = makeTls();
  const settings = { tls: { ...bare, identities: new Map<string, Identity>() } };
  const serving = await startServing(scope, { sockets, settings });
  await assert.rejects(secureDial(scope, serving));
  const [rejected] = await serving.told('rejected');
  assert.match(rejected?.close.detail ?? '', /^ERR_SSL_(?:NO_|UNRECOGNIZED_NAME)/);
});

onBoth('the times of a TLS connection begin when it was accepted', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startSecure({ scope, sockets });
  const raw = await dial(scope, serving.port);
  await serving.told('accepted');
  serving.clock.advance(250);
  await shake(scope, raw);
  const [arrived] = await serving.told('arrived');
  assert.deepEqual([arrived?.envelope.at, arrived?.envelope.deadline], [0, 10_000]);
  assert.deepEqual(
    serving.all('secured').map(({ us }) => us),
    [250_000],
  );
  assert.equal(serving.timers.size(), 0, 'no limit is left');
});

onBoth('a handshake that comes byte by byte is as good as any (B30)', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startSecure({ scope, sockets });
  const hello = await clientHello();
  const raw = await dial(scope, serving.port, { noDelay: true });
  for (const byte of hello) {
    raw.write(Buffer.from([byte]));
    await turn();
  }
  const [answer] = await within('the server’s answer', once(raw, 'data'));
  assert.equal(answer[0], 0x16, 'a handshake record');
  raw.resetAndDestroy();
  await serving.told('rejected');
});

onBoth(
  'a handshake that takes too long is rejected at its limit, by name',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets }, { handshakeTimeoutMs: 3000 });
    const raw = await dial(scope, serving.port);
    raw.write((await clientHello()).subarray(0, 100));
    await serving.told('accepted');
    serving.clock.advance(2999);
    await turn();
    assert.equal(serving.all('rejected').length, 0);
    serving.clock.advance(1);
    const [rejected] = serving.all('rejected');
    assert.deepEqual(rejected?.close, {
      reason: 'tls-timeout',
      by: 'client',
      limit: '3000ms',
      place: 'routers[0].servers[0]',
    });
    await ended(raw);
    await eventually('the base line', () => serving.descriptors.held === 0);
  },
);

onBoth('the connect timeout includes the handshake', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startSecure({ scope, sockets }, {}, { connectTimeoutMs: 500 });
  await dial(scope, serving.port);
  await serving.told('accepted');
  serving.clock.advance(500);
  assert.deepEqual(
    serving.all('rejected').map(({ close }) => [close.reason, close.limit]),
    [['connect-timeout', '500ms']],
  );
});

const send = (bytes: Buffer) => (socket: Socket) => void socket.write(bytes);

onBoth(
  'garbage, scans and resets end one handshake each, and leave nothing',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets });
    const before = openHandles();
    const hello = await clientHello();
    const cut = hello.subarray(0, hello.length - 7);
    const visits: readonly (readonly [
      what: string,
      visit: (socket: Socket) => void,
      detail: RegExp,
    ])[] = [
      ['a port scan', (socket) => void socket.end(), /^closed$|ECONNRESET/],
      ['a reset at once', (socket) => void socket.resetAndDestroy(), /ECONNRESET|closed/],
      ['plain HTTP', send(Buffer.from('GET / HTTP/1.1\r\n\r\n')), /^ERR_SSL_HTTP_REQUEST$/],
      ['noise', send(Buffer.alloc(5000, 'noise')), /^ERR_SSL_/],
      ['zeros', send(Buffer.alloc(70_000)), /^ERR_SSL_/],
      ['half a hello, then an end', (socket) => void socket.end(cut), /^closed$|ECONNRESET/],
      [
        'half a hello, then a reset',
        (socket) => void socket.write(cut, () => socket.resetAndDestroy()),
        /ECONNRESET|closed/,
      ],
      ['a hello, then an end', (socket) => void socket.end(hello), /^closed$|ECONNRESET/],
    ];
    for (const [i, [what, visit, detail]] of visits.entries()) {
      const socket = await dial(scope, serving.port);
      socket.resume();
      visit(socket);
      const rejected = (await serving.told('rejected', i + 1))[i];
      assert.equal(rejected?.close.reason, 'tls-handshake', what);
      assert.match(rejected.close.detail ?? '', detail, what);
      assert.match(rejected.src, /^127\.0\.0\.1:\d+$/, what);
      await within(`the end of ${what}`, closedOf(socket));
    }
    await eventually('the base line', () => serving.descriptors.held === 0);
    assert.equal(serving.timers.size(), 0);
    assert.equal(serving.all('rejected').length, visits.length);
    await handlesGone(before);
    await secureDial(scope, serving);
  },
);

const closedOf = async (socket: Socket): Promise<void> => {
  await ended(socket);
  socket.destroy();
};

onBoth('1,000 handshakes that are dropped at once leave nothing behind', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startSecure({ scope, sockets });
  const before = openHandles();
  const hello = await clientHello();
  const closed = Array.from({ length: 1000 }, (_, i) => {
    const socket = open(scope, serving.port);
    socket.on('connect', () => {
      socket.write(hello.subarray(0, i % hello.length));
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    });
    return new Promise((resolve) => socket.on('close', resolve));
  });
  await within('their end', Promise.all(closed));
  await secureDial(scope, serving);
  await serving.told('arrived');
  await eventually('the base line', () => serving.descriptors.held === 1);
  assert.equal(serving.all('rejected').length, serving.all('accepted').length - 1);
  assert.equal(serving.timers.size(), 0);
  assert.ok(openHandles() <= before + 3, process.getActiveResourcesInfo().join(' '));
});

onBoth(
  'two handshakes from one client port to two addresses do not get crossed',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const address = makeAddress('0.0.0.0', 0);
    const serving = await startServing(scope, { sockets, settings: { tls: makeTls() }, address });
    const source = { localAddress: '127.0.0.1', localPort: await freePort() };
    const one = await dial(scope, serving.port, source);
    await serving.told('accepted');
    serving.clock.advance(10);
    // The same source address, another destination: two connections that only their whole pairs tell apart.
    const two = await dial(scope, serving.port, { host: '127.0.0.2', ...source });
    await serving.told('accepted', 2);
    const first = await shake(scope, one, { servername: 'shop.example' });
    await shake(scope, two, { servername: 'other.example' });
    const arrived = await serving.told('arrived', 2);
    assert.deepEqual(
      arrived.map(({ envelope: { at, sni } }) => [at, sni]),
      [
        [0, 'shop.example'],
        [10, 'other.example'],
      ],
    );
    say(takeClient(serving).socket, 'for the first');
    const [text] = await within('bytes', once(first, 'data'));
    assert.equal(String(text), 'for the first');
  },
);

onBoth(
  'a secured client may end its direction and still get its answer',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets });
    const client = await secureDial(scope, serving);
    await serving.told('arrived');
    client.end('question');
    const taken = takeClient(serving);
    const hearer = takeOver(taken);
    await hearer.end();
    assert.equal(hearer.text, 'question');
    say(taken.socket, 'answer');
    taken.socket.end();
    const [answer] = await within('bytes', once(client, 'data'));
    assert.equal(String(answer), 'answer');
  },
);

onBoth(
  'a secured client that sends nonsense afterwards is dropped, waiting or not',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets });
    const raws = [await dial(scope, serving.port), await dial(scope, serving.port)];
    for (const raw of raws) await shake(scope, raw);
    const [waiting, streaming] = await serving.told('arrived', 2);
    const departure = new Promise<string>((resolve) =>
      serving.clients.watch(waiting?.envelope.id ?? 0, resolve),
    );
    const taken = serving.clients.take(streaming?.envelope.id ?? 0);
    assert.ok(taken);
    const hearer = takeOver(taken);
    for (const raw of raws) raw.write(Buffer.alloc(100, 0x17));
    assert.match(await within('a departure', departure), /^ERR_SSL_/);
    assert.match(await hearer.failure(), /SSL/);
    assert.equal(taken.socket.isOpen, false);
    await eventually('the base line', () => serving.descriptors.held === 0);
  },
);

onBoth(
  'a reload holds for new handshakes; one in progress goes on and ends the server',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const serving = await startSecure({ scope, sockets });
    const slow = await dial(scope, serving.port);
    await serving.told('accepted');
    serving.config$.next(makeConfig({ tls: makeTls({ defaultIdentity: shop }) }));
    const fresh = await secureDial(scope, serving);
    assert.equal(fresh.getPeerCertificate().subject.CN, 'shop.example');
    serving.config$.complete();
    assert.equal(serving.events.at(-1)?.t, 'unlistened');
    assert.equal(serving.end.completed, false, 'one is still shaking hands');
    const old = await shake(scope, slow);
    assert.equal(old.getPeerCertificate().subject.CN, 'default.example');
    await eventually('the end', () => serving.end.completed);
    assert.equal(serving.events.at(-1)?.t, 'arrived');
  },
);

onBoth('who unsubscribes drops what is shaking hands', async (t, { sockets }) => {
  const scope = makeScope(t);
  const serving = await startSecure({ scope, sockets });
  const raw = await dial(scope, serving.port);
  await serving.told('accepted');
  serving.subscription.unsubscribe();
  await ended(raw);
  await eventually('the base line', () => serving.descriptors.held === 0);
  assert.equal(serving.timers.size(), 0);
});
