/** TLS to endpoints: who is believed, and how a dial tells that it believes nobody. */
import assert from 'node:assert/strict';
import { before } from 'node:test';
import tls from 'node:tls';
import type { ClientTlsPolicy, Identity } from '../src/config/config.ts';
import type { Sockets } from '../src/socket/sockets.ts';
import { makeCert } from './support/certs.ts';
import { makeDialer } from './support/dialing.ts';
import { eventually, within } from './support/eventually.ts';
import { hear, say } from './support/hearer.ts';
import { makeScope, type Scope } from './support/process.ts';
import { handlesGone, onBoth, openHandles } from './support/sockets.ts';
import { startServer } from './support/tcp.ts';

const NAME = 'db.example';

let good: Identity;
let expired: Identity;
let nameless: Identity;
let wildcard: Identity;

before(async () => {
  [good, expired, nameless, wildcard] = await Promise.all([
    makeCert(NAME),
    makeCert(NAME, { isExpired: true }),
    makeCert(NAME, { names: [] }),
    makeCert('other.example', { names: ['*.db.example'] }),
  ]);
});

/** An endpoint that shows one identity, tells the name asked for, and echoes; a dial to it with a policy. */
const start = async (
  { scope, sockets }: { readonly scope: Scope; readonly sockets: Sockets },
  { certs, privateKey }: Identity,
  policy: Partial<ClientTlsPolicy> = {},
) => {
  const asked: unknown[] = [];
  const port = await startServer(scope, (raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, cert: certs, key: privateKey });
    socket.on('error', () => undefined).pipe(socket);
    socket.on('secure', () => asked.push(Reflect.get(socket, 'servername')));
  });
  const dialer = makeDialer(scope, { sockets });
  const tlsPolicy = { dnsName: NAME, trustCerts: [certs], ...policy };
  return { asked, ...dialer, ...dialer.begin(port, { tls: tlsPolicy }) };
};

onBoth(
  'an endpoint that is trusted and has the name is connected, and half-closes',
  async (t, { sockets }) => {
    const { outcome, asked, descriptors, timers } = await start(
      { scope: makeScope(t), sockets },
      good,
    );
    const connected = await outcome();
    assert.ok(connected.t === 'connected');
    const { socket } = connected;
    await eventually('the endpoint’s side', () => asked.length === 1);
    assert.deepEqual(asked, [NAME]);
    assert.equal(timers.size(), 0);
    const hearer = hear(socket);
    say(socket, 'question');
    socket.end();
    await hearer.end();
    assert.equal(hearer.text, 'question');
    socket.destroy();
    await eventually('closed', () => descriptors.held === 0);
  },
);

onBoth('an endpoint that ends first may still be written to', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { certs: cert, privateKey: key } = good;
  let settle: (text: string) => void = () => undefined;
  const heard = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const port = await startServer(scope, (raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, cert, key });
    socket.on('error', () => undefined).on('data', (chunk) => settle(String(chunk)));
    socket.on('secure', () => socket.end('bye'));
  });
  const { begin } = makeDialer(scope, { sockets });
  const outcome = await begin(port, { tls: { dnsName: NAME, trustCerts: [cert] } }).outcome();
  assert.ok(outcome.t === 'connected');
  const hearer = hear(outcome.socket);
  await hearer.end();
  assert.equal(hearer.text, 'bye');
  say(outcome.socket, 'not yet');
  assert.equal(await within('bytes', heard), 'not yet');
});

onBoth('a wildcard of the certificate stands for one label', async (t, { sockets }) => {
  const scope = makeScope(t);
  const names = ['a.db.example', 'a.b.db.example', NAME];
  const outcomes = names.map(async (dnsName) => {
    const { outcome } = await start({ scope, sockets }, wildcard, { dnsName });
    return (await outcome()).t;
  });
  assert.deepEqual(await Promise.all(outcomes), ['connected', 'connectFailed', 'connectFailed']);
});

const REFUSALS = [
  ['another name', () => good, { dnsName: 'web.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['its name as common name only', () => nameless, {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['an expired certificate', () => expired, {}, 'CERT_HAS_EXPIRED'],
  ['an address for its name', () => good, { dnsName: '127.0.0.1' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
] as const;

for (const [what, identity, policy, detail] of REFUSALS) {
  onBoth(`an endpoint with ${what} fails the dial, and nothing is left`, async (t, { sockets }) => {
    const { outcome, descriptors, timers } = await start(
      { scope: makeScope(t), sockets },
      identity(),
      policy,
    );
    assert.deepEqual(await outcome(), { t: 'connectFailed', cause: 'other', detail });
    await eventually('closed', () => descriptors.held === 0);
    assert.equal(timers.size(), 0);
  });
}

onBoth('an endpoint that others vouch for, or nobody, is not believed', async (t, { sockets }) => {
  const scope = makeScope(t);
  const strange = await start({ scope, sockets }, good, { trustCerts: [wildcard.certs] });
  const detail = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const failed = { t: 'connectFailed', cause: 'other', detail };
  assert.deepEqual(await strange.outcome(), failed);
  const platform = makeDialer(scope, { sockets });
  const port = await startServer(scope, (raw) => {
    const { certs: cert, privateKey: key } = good;
    new tls.TLSSocket(raw, { isServer: true, cert, key }).on('error', () => undefined);
  });
  assert.deepEqual(await platform.begin(port, { tls: { dnsName: NAME } }).outcome(), failed);
});

onBoth(
  'an endpoint that speaks no TLS, or closes, or resets, fails the dial',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const ends = [
      ['answers in plain text', /^ERR_SSL_/, 'SSH-2.0-plain\r\n', 'write'],
      ['ends', /ECONNRESET|closed the connection/, '', 'end'],
      ['resets', /ECONNRESET|closed the connection/, '', 'resetAndDestroy'],
    ] as const;
    const before = openHandles();
    for (const [what, detail, text, deed] of ends) {
      const port = await startServer(scope, (socket) => {
        if (deed === 'resetAndDestroy') socket.once('data', () => socket.resetAndDestroy());
        else if (deed === 'end') socket.once('data', () => socket.end());
        else socket.write(text);
      });
      const { begin, descriptors, timers } = makeDialer(scope, { sockets });
      const { outcome, told } = begin(port, { tls: { dnsName: NAME, trustCerts: [good.certs] } });
      const failed = await outcome();
      assert.ok(failed.t === 'connectFailed', what);
      assert.equal(failed.cause, 'other', what);
      assert.match(failed.detail, detail, what);
      await eventually('closed', () => descriptors.held === 0);
      assert.equal(timers.size(), 0);
      assert.equal(told.length, 1);
    }
    // Three servers still listen, and hold what their clients left half-open.
    await handlesGone(before + 2 * ends.length);
  },
);

onBoth('the limit of a dial holds for its handshake too', async (t, { sockets }) => {
  const scope = makeScope(t);
  let hasHello: () => void = () => undefined;
  const hello = new Promise<void>((resolve) => {
    hasHello = resolve;
  });
  const port = await startServer(scope, (socket) => socket.once('data', hasHello));
  const { begin, clock, descriptors } = makeDialer(scope, { sockets });
  const policy = { connectTimeoutMs: 300, tls: { dnsName: NAME, trustCerts: [good.certs] } };
  const { told } = begin(port, policy);
  await within('a hello', hello);
  clock.advance(299);
  assert.deepEqual(told, []);
  clock.advance(1);
  const timeout = { t: 'connectFailed', cause: 'timeout', detail: 'no connection in 300ms' };
  assert.deepEqual(told, [timeout]);
  await eventually('closed', () => descriptors.held === 0);
});

onBoth('a handshake that is dropped tells nothing and leaves nothing', async (t, { sockets }) => {
  const scope = makeScope(t);
  let hasHello: () => void = () => undefined;
  const hello = new Promise<void>((resolve) => {
    hasHello = resolve;
  });
  const port = await startServer(scope, (socket) => socket.once('data', hasHello));
  const { begin, descriptors, timers } = makeDialer(scope, { sockets });
  const { drop, told } = begin(port, { tls: { dnsName: NAME, trustCerts: [good.certs] } });
  await within('a hello', hello);
  drop();
  await eventually('closed', () => descriptors.held === 0);
  assert.deepEqual(told, []);
  assert.equal(timers.size(), 0);
});

/** An endpoint that shakes hands, and answers the first bytes with what is no TLS. */
const startNonsense = (scope: Scope): Promise<number> => {
  const { certs: cert, privateKey: key } = good;
  return startServer(scope, (raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, cert, key });
    socket.on('error', () => undefined).on('data', () => raw.write(Buffer.alloc(100, 0x17)));
  });
};

onBoth(
  'an endpoint that sends nonsense after the handshake closes its socket, and nobody need listen',
  async (t, { sockets }) => {
    const scope = makeScope(t);
    const { begin, descriptors } = makeDialer(scope, { sockets });
    const policy = { tls: { dnsName: NAME, trustCerts: [good.certs] } };
    const outcome = await begin(await startNonsense(scope), policy).outcome();
    assert.ok(outcome.t === 'connected');
    say(outcome.socket, 'provoke');
    await eventually('closed', () => descriptors.held === 0);
    assert.equal(outcome.socket.isOpen, false);
  },
);

onBoth('who owns the socket then is told what was wrong', async (t, { sockets }) => {
  const scope = makeScope(t);
  const { begin, descriptors } = makeDialer(scope, { sockets });
  const policy = { tls: { dnsName: NAME, trustCerts: [good.certs] } };
  const outcome = await begin(await startNonsense(scope), policy).outcome();
  assert.ok(outcome.t === 'connected');
  const hearer = hear(outcome.socket);
  say(outcome.socket, 'provoke');
  assert.match(await hearer.failure(), /SSL/);
  await eventually('closed', () => descriptors.held === 0);
  assert.equal(hearer.told.length, 1);
});
