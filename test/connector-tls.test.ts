/** TLS to endpoints: who is believed, and how a dial tells that it believes nobody. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, test } from 'node:test';
import tls from 'node:tls';
import type { ClientTlsPolicy, Identity } from '../src/config/config.ts';
import { makeCert } from './support/certs.ts';
import { makeDialer } from './support/dialing.ts';
import { eventually, within } from './support/eventually.ts';
import { makeScope, type Scope } from './support/process.ts';
import { handlesGone, openHandles } from './support/sockets.ts';
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
  scope: Scope,
  { certs, privateKey }: Identity,
  policy: Partial<ClientTlsPolicy> = {},
) => {
  const asked: unknown[] = [];
  const port = await startServer(scope, (raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, cert: certs, key: privateKey });
    socket.on('error', () => undefined).pipe(socket);
    socket.on('secure', () => asked.push(Reflect.get(socket, 'servername')));
  });
  const dialer = makeDialer(scope);
  const tlsPolicy = { dnsName: NAME, trustCerts: [certs], ...policy };
  return { asked, ...dialer, ...dialer.begin(port, { tls: tlsPolicy }) };
};

test('an endpoint that is trusted and has the name is connected, and half-closes', async (t) => {
  const { outcome, asked, descriptors, timers } = await start(makeScope(t), good);
  const connected = await outcome();
  assert.ok(connected.t === 'connected');
  const { socket } = connected;
  await eventually('the endpoint’s side', () => asked.length === 1);
  assert.deepEqual(asked, [NAME]);
  assert.equal(timers.size(), 0);
  assert.equal(socket.allowHalfOpen, true);
  socket.end('question');
  const [text] = await within('an answer', once(socket, 'data'));
  assert.equal(String(text), 'question');
  await within('the end', once(socket.resume(), 'end'));
  await eventually('closed', () => descriptors.held === 0);
});

test('a wildcard of the certificate stands for one label', async (t) => {
  const scope = makeScope(t);
  const names = ['a.db.example', 'a.b.db.example', NAME];
  const outcomes = names.map(async (dnsName) => {
    const { outcome } = await start(scope, wildcard, { dnsName });
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
  test(`an endpoint with ${what} fails the dial, and nothing is left`, async (t) => {
    const { outcome, descriptors, timers } = await start(makeScope(t), identity(), policy);
    assert.deepEqual(await outcome(), { t: 'connectFailed', cause: 'other', detail });
    await eventually('closed', () => descriptors.held === 0);
    assert.equal(timers.size(), 0);
  });
}

test('an endpoint that others vouch for, or nobody, is not believed', async (t) => {
  const scope = makeScope(t);
  const strange = await start(scope, good, { trustCerts: [wildcard.certs] });
  const detail = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const failed = { t: 'connectFailed', cause: 'other', detail };
  assert.deepEqual(await strange.outcome(), failed);
  const platform = makeDialer(scope);
  const port = await startServer(scope, (raw) => {
    const { certs: cert, privateKey: key } = good;
    new tls.TLSSocket(raw, { isServer: true, cert, key }).on('error', () => undefined);
  });
  assert.deepEqual(await platform.begin(port, { tls: { dnsName: NAME } }).outcome(), failed);
});

test('an endpoint that speaks no TLS, or closes, or resets, fails the dial', async (t) => {
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
    const { begin, descriptors, timers } = makeDialer(scope);
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
});

test('the limit of a dial holds for its handshake too', async (t) => {
  const scope = makeScope(t);
  let hasHello: () => void = () => undefined;
  const hello = new Promise<void>((resolve) => {
    hasHello = resolve;
  });
  const port = await startServer(scope, (socket) => socket.once('data', hasHello));
  const { begin, clock, descriptors } = makeDialer(scope);
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

test('a handshake that is dropped tells nothing and leaves nothing', async (t) => {
  const scope = makeScope(t);
  let hasHello: () => void = () => undefined;
  const hello = new Promise<void>((resolve) => {
    hasHello = resolve;
  });
  const port = await startServer(scope, (socket) => socket.once('data', hasHello));
  const { begin, descriptors, timers } = makeDialer(scope);
  const { drop, told } = begin(port, { tls: { dnsName: NAME, trustCerts: [good.certs] } });
  await within('a hello', hello);
  drop();
  await eventually('closed', () => descriptors.held === 0);
  assert.deepEqual(told, []);
  assert.equal(timers.size(), 0);
});

test('an endpoint that sends nonsense after the handshake closes its socket, and no listener is needed', async (t) => {
  const scope = makeScope(t);
  const { certs: cert, privateKey: key } = good;
  const port = await startServer(scope, (raw) => {
    const socket = new tls.TLSSocket(raw, { isServer: true, cert, key });
    socket.on('error', () => undefined);
    socket.once('secure', () => setImmediate(() => raw.write(Buffer.alloc(100, 0x17))));
  });
  const { begin, descriptors } = makeDialer(scope);
  const outcome = await begin(port, { tls: { dnsName: NAME, trustCerts: [cert] } }).outcome();
  assert.ok(outcome.t === 'connected');
  await eventually('closed', () => descriptors.held === 0);
  assert.match(String(outcome.socket.errored), /SSL/);
});
