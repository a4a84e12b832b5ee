/** A ClientHello is read as it was meant, from Node's own client and from bytes that follow the standards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientHello } from '../src/client-hello/hello.ts';
import { clientHello } from './support/client-hello.ts';
import {
  alpn,
  body,
  bytesUntilFinal,
  eachByte,
  extension,
  hello,
  helloOf,
  message,
  name,
  number,
  type Parts,
  read,
  readPieces,
  record,
  records,
  serverName,
  sni,
  vector,
  versions,
} from './support/hello-bytes.ts';

const BARE: ClientHello = { alpn: [], version: 'TLSv1.2', hasEch: false };

/** What a ClientHello of these parts says, however it is cut. */
const said = (parts: Parts): ClientHello => helloOf(message(body(parts)));

/** The same for one that has no more than extensions to tell. */
const saidBy = (...extensions: readonly Uint8Array[]): ClientHello => said({ extensions });

const OLD_CIPHERS = 'DEFAULT@SECLEVEL=0';

for (const [what, options, expected] of [
  ['SNI registered', { servername: 'shop.example' }, { sni: 'shop.example' }],
  ['SNI in any case', { servername: 'ShOp.Example' }, { sni: 'shop.example' }],
  ['no SNI', {}, {}],
  ['ALPN registered', { ALPNProtocols: ['h2', 'http/1.1'] }, { alpn: ['h2', 'http/1.1'] }],
  ['TLS 1.2 at most', { maxVersion: 'TLSv1.2' }, { version: 'TLSv1.2' }],
  ['TLS 1.3 at least', { minVersion: 'TLSv1.3' }, {}],
  [
    'TLS 1.1 at most',
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: OLD_CIPHERS },
    { version: 'TLSv1.1' },
  ],
  [
    'all at once',
    { servername: 'a.b.example', ALPNProtocols: ['redis'], maxVersion: 'TLSv1.2' },
    { sni: 'a.b.example', alpn: ['redis'], version: 'TLSv1.2' },
  ],
] as const)
  test(`Node's client: ${what}`, async () => {
    const bytes = await clientHello({
      ...options,
      ...('ALPNProtocols' in options ? { ALPNProtocols: [...options.ALPNProtocols] } : {}),
    });
    const wanted = { ...BARE, version: 'TLSv1.3', ...expected };
    assert.deepEqual(read(bytes), { t: 'hello', hello: wanted });
    assert.deepEqual(helloOf(bytes.subarray(5)), wanted);
    assert.equal(bytesUntilFinal(bytes), bytes.length);
  });

test('no extensions: neither an empty list of them nor none at all is an error', () => {
  assert.deepEqual(said({ extensions: [] }), BARE);
  assert.deepEqual(said({}), BARE);
  const least = { legacy: 0x0301, sessionId: 0, suites: [0x000a] };
  assert.equal(body(least).length, 41, 'the least that can be');
  assert.deepEqual(said(least), { ...BARE, version: 'TLSv1' });
});

test('the ClientHello is told by its last byte, whatever follows', () => {
  const bytes = hello({ extensions: [sni('shop.example')] });
  const expected = { t: 'hello', hello: { ...BARE, sni: 'shop.example' } };
  for (const after of ['\x16\x03\x01', '\x17\x03\x03\xff\xff', 'GET / HTTP/1.1'])
    assert.deepEqual(read(Buffer.concat([bytes, Buffer.from(after, 'latin1')])), expected);
  assert.equal(bytesUntilFinal(Buffer.concat([bytes, bytes])), bytes.length);
  const twice = Buffer.concat([bytes.subarray(5), bytes.subarray(5)]);
  assert.deepEqual(read(record(twice)), expected, 'another message in the same record');
  assert.equal(bytesUntilFinal(record(twice)), bytes.length);
});

test('multiple reads: until the last byte there is more to come', () => {
  const bytes = hello({ extensions: [sni('shop.example'), alpn('h2')] });
  assert.deepEqual(readPieces(eachByte(bytes.subarray(0, -1))), { t: 'more' });
  assert.deepEqual(readPieces([Buffer.alloc(0), ...eachByte(bytes)]), readPieces([bytes]));
  assert.deepEqual(readPieces([]), { t: 'more' });
});

test('handshake fragment split on SNI: records may end anywhere in it', () => {
  const whole = message(body({ extensions: [sni('shop.example'), alpn('h2')] }));
  const within = whole.indexOf('shop.example') + 4;
  const pieces = [record(whole.subarray(0, within)), record(whole.subarray(within), 0x0303)];
  const expected = { t: 'hello', hello: { ...BARE, sni: 'shop.example', alpn: ['h2'] } };
  assert.deepEqual(read(Buffer.concat(pieces)), expected);
  for (const size of [1, 2, 3, 7]) assert.deepEqual(read(records(whole, size)), expected);
});

test('older version in ssl record: any from SSL 3.0 to TLS 1.3 is taken, and means nothing', () => {
  const whole = message(body({ extensions: [sni('shop.example')] }));
  for (const version of [0x0300, 0x0301, 0x0302, 0x0303, 0x0304])
    assert.deepEqual(read(record(whole, version)), {
      t: 'hello',
      hello: { ...BARE, sni: 'shop.example' },
    });
});

test('version from supported_versions: the highest in any order, with neither GREASE nor the unknown', () => {
  for (const [legacy, codes, version] of [
    [0x0303, [0x0304, 0x0303], 'TLSv1.3'],
    [0x0303, [0x7a7a, 0x0303, 0x0304], 'TLSv1.3'],
    [0x0301, [0x0302, 0x0303, 0x0301], 'TLSv1.2'],
    [0x0303, [0x0302, 0x0301], 'TLSv1.1'],
    [0x0303, [0xfafa, 0x7f1c, 0x0305, 0x0302], 'TLSv1.1'],
    [0x0000, [0x0304], 'TLSv1.3'],
    [0x0303, [0x0a0a], 'TLSv1.2'],
  ] as const)
    assert.equal(said({ legacy, extensions: [versions(...codes)] }).version, version);
});

test('without supported_versions the version is legacy_version, at most TLS 1.2', () => {
  for (const [legacy, version] of [
    [0x0300, 'SSLv3'],
    [0x0301, 'TLSv1'],
    [0x0302, 'TLSv1.1'],
    [0x0303, 'TLSv1.2'],
    [0x0304, 'TLSv1.2'],
    [0x7f1c, 'TLSv1.2'],
  ] as const)
    assert.equal(said({ legacy, extensions: [] }).version, version);
});

test('ALPN list order is kept, what is no text is left out', () => {
  assert.deepEqual(saidBy(alpn('http/1.1', 'h2', 'a b~')).alpn, ['http/1.1', 'h2', 'a b~']);
  const odd = [Buffer.from([0xff, 0x68]), 'h\n2', '\x7f', 'ü', '\ufeffh2'];
  assert.deepEqual(saidBy(alpn(...odd, 'h2')).alpn, ['h2']);
  assert.deepEqual(saidBy(alpn(...odd)).alpn, []);
  assert.deepEqual(saidBy(alpn('x'.repeat(255))).alpn, ['x'.repeat(255)]);
});

test('GREASE ciphers, extensions, versions and protocols are as good as absent', () => {
  const grease = Array.from({ length: 16 }, (_, i) => i * 0x1010 + 0x0a0a);
  assert.deepEqual(
    said({
      suites: [...grease, 0x1301],
      extensions: [
        ...grease.slice(0, 8).map((type) => extension(type)),
        versions(...grease, 0x0304, 0x0303),
        alpn(...grease.map((code) => number(2, code)), 'JJJ', '::j', 'h2'),
        sni('shop.example'),
        ...grease.slice(8).map((type) => extension(type, Buffer.alloc(1))),
      ],
    }),
    { sni: 'shop.example', alpn: ['JJJ', '::j', 'h2'], version: 'TLSv1.3', hasEch: false },
  );
});

test('a key share of post-quantum size before the names is no obstacle', () => {
  const share = Buffer.concat([number(2, 0x11ec), vector(2, Buffer.alloc(1216, 7))]);
  const classic = Buffer.concat([number(2, 0x001d), vector(2, Buffer.alloc(32, 7))]);
  const extensions = [
    extension(51, vector(2, share, classic)),
    extension(21, Buffer.alloc(400)),
    sni('shop.example'),
    alpn('h2'),
    versions(0x0304),
  ];
  assert.ok(hello({ extensions }).length > 1700);
  assert.deepEqual(saidBy(...extensions), {
    ...BARE,
    sni: 'shop.example',
    alpn: ['h2'],
    version: 'TLSv1.3',
  });
});

test('the server name is canonical: lower case, no dot at the end', () => {
  assert.deepEqual(saidBy(sni('My_Shop.EXAMPLE.')), { ...BARE, sni: 'my_shop.example' });
});

test('IP literal as SNI, and whatever else is no DNS name, is told as invalid', () => {
  for (const host of ['10.0.0.1', '::1', '[::1]', '', '.', 'a..b', '*.example', 'a b', 'a\0b', 'ü'])
    assert.deepEqual(saidBy(sni(host)), { ...BARE, invalidSni: true }, host);
  for (const bytes of [Buffer.from([0xff]), Buffer.from('\ufeffa'), Buffer.alloc(300, 'a')])
    assert.deepEqual(saidBy(sni(bytes)), { ...BARE, invalidSni: true });
});

test('server names of other types are passed over', () => {
  assert.deepEqual(saidBy(serverName(name('x', 1))), BARE);
  assert.deepEqual(saidBy(serverName(name('x', 1), name('shop.example'), name('y', 1))), {
    ...BARE,
    sni: 'shop.example',
  });
});

test('ECH outer name: the name that all can read is told, and that there is another', () => {
  const ech = extension(0xfe0d, Buffer.alloc(200, 1));
  const outer = { ...BARE, sni: 'public.example', hasEch: true };
  assert.deepEqual(saidBy(ech, sni('public.example')), outer);
  assert.deepEqual(saidBy(sni('public.example'), ech), outer);
  assert.deepEqual(saidBy(ech), { ...BARE, hasEch: true });
});
