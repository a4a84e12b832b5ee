/** PROXY headers: what is taken, at whatever place it is cut, what is refused, and what goes out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../src/ip.ts';
import { crc32c } from '../src/proxy-protocol/crc32c.ts';
import { type Decoded, decodeProxyHeader, LONGEST_HEADER } from '../src/proxy-protocol/decode.ts';
import { encodeProxyHeader } from '../src/proxy-protocol/encode.ts';
import { type ProxyHeader, SIGNATURE } from '../src/proxy-protocol/header.ts';

const REQUIRED = { required: true };
const OPTIONAL = { required: false };

/** Version 2 from its command and family, and what follows the length. */
const binary = (command: number, family: number, ...body: readonly number[]): Buffer =>
  Buffer.from([...SIGNATURE, command, family, body.length >> 8, body.length & 0xff, ...body]);

const V4 = [10, 0, 0, 1, 10, 0, 0, 2, 0x1f, 0x90, 0, 80];
const V6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1],
  ...[0xff, 0xff, 0, 1],
];
const tlv = (type: number, ...value: readonly number[]): readonly number[] => [
  type,
  value.length >> 8,
  value.length & 0xff,
  ...value,
];
const text = (value: string): readonly number[] => [...Buffer.from(value)];

const FROM = { ip: '10.0.0.1', port: 8080 };
const TO = { ip: '10.0.0.2', port: 80 };

const GOOD: readonly (readonly [name: string, bytes: Buffer, header: ProxyHeader])[] = [
  [
    'v1, IPv4',
    Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 8080 80\r\n'),
    { version: 1, source: FROM, destination: TO },
  ],
  [
    'v1, IPv6: addresses and ports exact (case 67)',
    Buffer.from('PROXY TCP6 2001:DB8::1 ::1 65535 1\r\n'),
    {
      version: 1,
      source: { ip: '2001:db8::1', port: 65_535 },
      destination: { ip: '::1', port: 1 },
    },
  ],
  ['v1, UNKNOWN keeps the socket’s (case 74)', Buffer.from('PROXY UNKNOWN\r\n'), { version: 1 }],
  [
    'v1, UNKNOWN with whatever follows',
    Buffer.from('PROXY UNKNOWN ffff::1 x 1 2 3\r\n'),
    { version: 1 },
  ],
  ['v2, IPv4', binary(0x21, 0x11, ...V4), { version: 2, source: FROM, destination: TO, tlvs: {} }],
  [
    'v2, IPv6: addresses and ports exact (case 67)',
    binary(0x21, 0x21, ...V6),
    {
      version: 2,
      source: { ip: '2001:db8::1', port: 65_535 },
      destination: { ip: '127.0.0.1', port: 1 },
      tlvs: {},
    },
  ],
  ['v2, LOCAL with additions (case 68)', binary(0x20, 0x11, ...V4, 4, 0, 0), { version: 2 }],
  ['v2, LOCAL with nothing', binary(0x20, 0), { version: 2 }],
  ['v2, no address', binary(0x21, 0), { version: 2, tlvs: {} }],
  [
    'v2, additions, unknown ones passed over (case 71)',
    binary(
      ...[0x21, 0x11, ...V4],
      ...tlv(0xe0, 1, 2, 3),
      ...tlv(1, ...text('h2')),
      ...tlv(2, ...text('db.example')),
      ...tlv(4),
      ...tlv(5, 0xab, 0x01),
      ...tlv(
        ...[0x20, 3, 0, 0, 0, 0],
        ...tlv(0x21, ...text('TLSv1.3')),
        ...tlv(0x22, ...text('web')),
        ...tlv(0x23, ...text('AES')),
      ),
    ),
    {
      version: 2,
      source: FROM,
      destination: TO,
      tlvs: {
        alpn: 'h2',
        authority: 'db.example',
        uniqueId: 'ab01',
        ssl: { verified: true, version: 'TLSv1.3', cn: 'web' },
      },
    },
  ],
];

for (const [name, bytes, header] of GOOD)
  test(`${name}: taken, whatever follows, and wanted whole (case 66)`, () => {
    const { length } = bytes;
    for (const rest of ['', 'SELECT 1', '\r\n', 'PROXY ']) {
      const all = Buffer.concat([bytes, Buffer.from(rest)]);
      assert.deepEqual(decodeProxyHeader(all, REQUIRED), { t: 'header', length, header });
      assert.deepEqual(decodeProxyHeader(all, OPTIONAL), { t: 'header', length, header });
    }
    for (let cut = 0; cut < length; cut++)
      assert.deepEqual(decodeProxyHeader(bytes.subarray(0, cut), OPTIONAL), { t: 'more' });
  });

const BAD: readonly (readonly [name: string, bytes: Buffer, detail: RegExp])[] = [
  ['v1 of over 107 bytes', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(120)}\r\n`), /107/],
  ['v1 without CR', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n'), /CRLF/],
  ['v1 of another family', Buffer.from('PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n'), /TCP4/],
  ['v1 with IPv6 for IPv4', Buffer.from('PROXY TCP4 ::1 2.2.2.2 1 2\r\n'), /TCP4/],
  ['v1 with a port too high', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n'), /TCP4/],
  ['v1 with a port that begins with 0', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n'), /TCP4/],
  ['v1 with two blanks', Buffer.from('PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n'), /TCP4/],
  ['v1 with more', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n'), /TCP4/],
  ['v2 of version 1', binary(0x11, 0x11, ...V4), /version/],
  ['v2, neither LOCAL nor PROXY (case 69)', binary(0x22, 0x11, ...V4), /command/],
  ['v2, UDP', binary(0x21, 0x12, ...V4), /family/],
  ['v2, an unknown family (case 69)', binary(0x21, 0x41, ...V4), /family/],
  ['v2, short IPv4 (case 69)', binary(0x21, 0x11, ...V4.slice(0, 11)), /short/],
  ['v2, short IPv6 (case 69)', binary(0x21, 0x21, ...V6.slice(0, 35)), /short/],
  ['v2, too long', binary(0x21, 0, ...Array<number>(LONGEST_HEADER).fill(4)), /over 4096/],
  ['v2, an addition beyond the header (case 72)', binary(0x21, 0x11, ...V4, 4, 0, 9), /additions/],
  ['v2, additions that end too soon (case 72)', binary(0x21, 0x11, ...V4, 4, 0), /additions/],
  ['v2, a wrong checksum', binary(0x21, 0x11, ...V4, ...tlv(3, 1, 2, 3, 4)), /checksum/],
  ['v2, a unique id too long', binary(0x21, 0, ...tlv(5, ...Array<number>(129).fill(1))), /128/],
  ['v2, a name that is no text', binary(0x21, 0, ...tlv(2, 0xff)), /UTF-8/],
  ['v2, a name with a line break', binary(0x21, 0, ...tlv(2, 10)), /UTF-8/],
  ['v2, a TLS part cut short', binary(0x21, 0, ...tlv(0x20, 1, 0)), /TLS/],
];

for (const [name, bytes, detail] of BAD)
  test(`${name}: refused, also where a header is optional (case 70)`, () => {
    for (const mode of [REQUIRED, OPTIONAL]) {
      const decoded = decodeProxyHeader(bytes, mode);
      assert.equal(decoded.t, 'bad');
      assert.match(decoded.t === 'bad' ? decoded.detail : '', detail);
    }
  });

test('what cannot be a header is none at its first byte that tells, or bad where one is required', () => {
  for (const said of ['G', 'PRI * HTTP', '\r\n\r\n\0\r\nX', '\x16\x03\x01']) {
    const bytes = Buffer.from(said, 'latin1');
    assert.deepEqual(decodeProxyHeader(bytes, OPTIONAL), { t: 'none' });
    assert.deepEqual(decodeProxyHeader(bytes, REQUIRED), { t: 'bad', detail: 'no header' });
  }
});

const headerArbitrary: fc.Arbitrary<ProxyHeader> = fc
  .record({
    version: fc.constantFrom(1 as const, 2 as const),
    places: fc.oneof(
      ...[fc.ipV4(), fc.ipV6()].map((ip) => fc.tuple(ip, fc.nat(65_535), ip, fc.nat(65_535))),
    ),
    alpn: fc.constantFrom('h2', 'redis'),
    verified: fc.boolean(),
  })
  .map(({ version, places: [from, fromPort, to, toPort], alpn, verified }) => ({
    version,
    source: { ip: canonicalIp(from) ?? '::1', port: fromPort },
    destination: { ip: canonicalIp(to) ?? '::1', port: toPort },
    ...(version === 1
      ? {}
      : { tlvs: { alpn, authority: 'db.example', uniqueId: '00ff', ssl: { verified, cn: 'ü' } } }),
  }));

test('what is encoded is decoded to the same', () => {
  fc.assert(
    fc.property(headerArbitrary, (header) => {
      const bytes = encodeProxyHeader(header);
      assert.deepEqual(decodeProxyHeader(bytes, REQUIRED), {
        t: 'header',
        length: bytes.length,
        header,
      });
    }),
  );
});

test('a checksum holds whatever kind of memory a header is in, and reading it changes nothing', () => {
  const bytes = encodeProxyHeader({ version: 2, source: FROM, destination: TO });
  for (const memory of [bytes, Buffer.from(bytes)]) {
    assert.equal(decodeProxyHeader(memory, REQUIRED).t, 'header');
    assert.deepEqual([...memory], [...bytes]);
  }
});

test('headers go out byte for byte as the protocol has them (case 73)', () => {
  const header = { source: FROM, destination: { ip: '::1', port: 80 } };
  assert.equal(
    Buffer.from(encodeProxyHeader({ version: 1, ...header })).toString(),
    'PROXY TCP6 ::ffff:10.0.0.1 ::1 8080 80\r\n',
  );
  assert.equal(Buffer.from(encodeProxyHeader({ version: 1 })).toString(), 'PROXY UNKNOWN\r\n');
  const bytes = encodeProxyHeader({ version: 2, source: FROM, destination: TO });
  assert.deepEqual(
    [...bytes.subarray(0, -4)],
    [...binary(0x21, 0x11, ...V4, 3, 0, 4, 0, 0, 0, 0).subarray(0, -4)],
  );
});

test('the checksum is CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('no bytes break the decoder, and none are taken that are not there', () => {
  const seeds = GOOD.map(([, bytes]) => bytes);
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }))
    .map(([bytes, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy;
    });
  fc.assert(
    fc.property(
      fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })),
      fc.boolean(),
      (bytes, required) => {
        const decoded: Decoded = decodeProxyHeader(bytes, { required });
        if (decoded.t === 'header') assert.ok(decoded.length <= bytes.length);
        if (decoded.t === 'more') assert.ok(bytes.length < LONGEST_HEADER);
        if (decoded.t === 'none') assert.equal(required, false);
      },
    ),
    { numRuns: 2000 },
  );
});
