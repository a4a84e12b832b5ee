/** What is no ClientHello: other protocols, broken messages and too long ones, each told by name and in time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelloReader } from '../src/client-hello/read.ts';
import {
  alpn,
  body,
  bytesUntilFinal,
  eachByte,
  extension,
  hello,
  message,
  name,
  number,
  type Parts,
  read,
  readMessage,
  readPieces,
  record,
  serverName,
  sni,
  vector,
  versions,
} from './support/hello-bytes.ts';

/** Bytes that are given in latin1. */
const raw = (text: string): Buffer => Buffer.from(text, 'latin1');

for (const [what, text, bytes] of [
  ['plain HTTP', 'GET / HTTP/1.1\r\n\r\n', 1],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 1],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 1],
  ['SSLv2-style hello', '\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10', 1],
  ['a request for TLS by PostgreSQL', '\x00\x00\x00\x08\x04\xd2\x16\x2f', 1],
  ['the PROXY protocol, version 2', '\r\n\r\n\0\r\nQUIT\n', 1],
  ['a type that no record has', '\x13\x03\x01\x00\x01\x01', 1],
  ['a type that no record has yet', '\x19\x03\x01\x00\x01\x01', 1],
  ['another second byte', '\x16\x02\x01\x00\x01\x01', 2],
  ['DTLS', '\x16\xfe\xfd\x00\x00', 2],
  ['not TLS: a minor version that no record has', '\x16\x03\x05\x00\x01\x01', 3],
  ['an alert of another kind', '\x15\x04\x00', 2],
] as const)
  test(`${what} is plain by byte ${bytes}`, () => {
    assert.deepEqual(read(raw(text)), { t: 'plain' });
    assert.equal(bytesUntilFinal(raw(text)), bytes);
  });

/** Asserts that it is TLS, broken, and told so by a byte. */
const isBad = (bytes: Uint8Array, detail: string, by: number): void => {
  assert.deepEqual(read(bytes), { t: 'bad', detail });
  assert.equal(bytesUntilFinal(bytes), by);
};

test('another type of record first is bad as soon as it is surely a record', () => {
  for (const type of [20, 21, 23, 24])
    isBad(
      record(raw('\x02\x28'), 0x0301, type),
      `a record of type ${type} comes before the end of the ClientHello`,
      3,
    );
});

test('between the records of a ClientHello nothing else may come', () => {
  const half = record(message(body({})).subarray(0, 30));
  const after = (text: string): Buffer => Buffer.concat([half, raw(text)]);
  const detail = 'a record of type 21 comes before the end of the ClientHello';
  isBad(after('\x15\x03\x01\x00\x02\x02\x28'), detail, half.length + 3);
  isBad(after('GET / HTTP/1.1'), 'what follows a record is no record', half.length + 1);
  isBad(after('\x16\x04'), 'what follows a record is no record', half.length + 2);
  isBad(after('\x16\x03\x05'), 'what follows a record is no record', half.length + 3);
  isBad(after('\x16\x03\x01\x00\x00'), 'a record is empty', half.length + 5);
});

test('oversized record length is bad at once, the longest is not', () => {
  isBad(raw('\x16\x03\x01\x41\x01\x01'), 'a record has 16641 bytes', 5);
  isBad(raw('\x16\x03\x01\xff\xff\x01'), 'a record has 65535 bytes', 5);
  assert.deepEqual(read(raw('\x16\x03\x01\x41\x00\x01')), { t: 'more' });
});

test('a handshake fragment without bytes is bad', () => {
  isBad(raw('\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00'), 'a record is empty', 5);
});

test('another message first is bad', () => {
  for (const type of [0, 2, 11, 255])
    isBad(
      record(message(body({}), type)),
      `a message of type ${type} comes before the ClientHello`,
      9,
    );
});

test('short client hello: a length that no ClientHello can have is bad at once', () => {
  isBad(raw('\x16\x03\x01\x00\x04\x01\x00\x00\x00'), 'the ClientHello has only 0 bytes', 9);
  isBad(record(message(Buffer.alloc(40))), 'the ClientHello has only 40 bytes', 9);
});

test('ClientHello too big: told by its length, before it comes', () => {
  const claim = (length: number): Buffer =>
    record(Buffer.concat([number(1, 1), number(3, length), Buffer.alloc(100)]));
  assert.deepEqual(read(claim(65_532)), { t: 'more' });
  assert.deepEqual(read(claim(65_533)), { t: 'too-big' });
  assert.deepEqual(read(claim(0xffffff)), { t: 'too-big' });
  assert.equal(bytesUntilFinal(claim(65_533)), 9);
  const bytes = hello({ extensions: [sni('shop.example')] });
  const whole = bytes.length - 5;
  assert.equal(readPieces([bytes], new HelloReader(whole)).t, 'hello');
  assert.equal(readPieces([bytes], new HelloReader(whole - 1)).t, 'too-big');
});

const FIELDS = 'the lengths of its fields do not add up';
const EXTENSIONS = 'the lengths of the extensions do not add up';
const NAME = 'server_name is malformed';
const ALPN = 'application_layer_protocol_negotiation is malformed';
const VERSIONS = 'supported_versions is malformed';

/** A body whose byte at an offset is another. */
const changed = (parts: Parts, offset: number, byte: number): Buffer => {
  const bytes = body(parts);
  bytes.writeUInt8(byte, offset);
  return bytes;
};

const withExtensions = (...extensions: readonly Uint8Array[]): Buffer => body({ extensions });
const padded = (bytes: Uint8Array, count: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(count)]);

/** Where things are in a body without a session id: 2 of version, 32 of random, then lengths. */
const [ID_LENGTH, SUITES_LENGTH, COMPRESSIONS_LENGTH, EXTENSIONS_LENGTH] = [34, 36, 41, 44];
const NO_ID: Parts = { sessionId: 0, extensions: [sni('shop.example')] };
/** Its last suite's second half can be read as a length. */
const ODD_SUITE: Parts = { ...NO_ID, suites: [0x1301, 0xc000] };

const BROKEN: readonly (readonly [what: string, content: Buffer, detail: string])[] = [
  ['a session id of 33 bytes', body({ sessionId: 33 }), 'the session id is longer than 32 bytes'],
  ['a session id beyond the end', changed(NO_ID, ID_LENGTH, 255), FIELDS],
  ['cipher suites beyond the end', changed(NO_ID, SUITES_LENGTH, 255), FIELDS],
  ['compression methods beyond the end', changed(NO_ID, COMPRESSIONS_LENGTH, 255), FIELDS],
  ['no cipher suite', padded(body({ suites: [] }), 2), 'the cipher suites are malformed'],
  ['half a cipher suite', changed(ODD_SUITE, SUITES_LENGTH, 3), 'the cipher suites are malformed'],
  ['no compression method', body({ compressions: [] }), 'no compression method is there'],
  ['extensions that end too late', changed(NO_ID, EXTENSIONS_LENGTH, 0x16), EXTENSIONS],
  ['extensions that end too early', changed(NO_ID, EXTENSIONS_LENGTH, 0x14), EXTENSIONS],
  ['bytes after the extensions', padded(withExtensions(alpn('h2')), 1), EXTENSIONS],
  ['half a length of extensions', padded(body({}), 1), EXTENSIONS],
  ['half an extension', withExtensions(alpn('h2'), Buffer.alloc(3)), EXTENSIONS],
  ['an extension beyond the end', withExtensions(raw('\0\x15\0\x01')), EXTENSIONS],
  ['two SNI extensions', withExtensions(sni('a'), sni('a')), 'an extension is there twice'],
  ['two of any', withExtensions(extension(99), extension(99)), 'an extension is there twice'],
  [
    'two host names',
    withExtensions(serverName(name('a'), name('b'))),
    'server_name has two host names',
  ],
  ['SNI without data', withExtensions(extension(0)), NAME],
  ['SNI without a name', withExtensions(serverName()), NAME],
  ['SNI with half a name', withExtensions(serverName(name('shop').subarray(0, -1))), NAME],
  ['SNI with more behind', withExtensions(extension(0, padded(vector(2, name('a')), 1))), NAME],
  ['ALPN without data', withExtensions(extension(16)), ALPN],
  ['ALPN without a protocol', withExtensions(alpn()), ALPN],
  ['ALPN with an empty protocol', withExtensions(alpn('h2', '')), ALPN],
  ['ALPN with half a protocol', withExtensions(extension(16, vector(2, raw('\x03h2')))), ALPN],
  ['ALPN with more behind', withExtensions(extension(16, raw('\0\x03\x02h2!'))), ALPN],
  ['no version offered', withExtensions(versions()), VERSIONS],
  ['half a version', withExtensions(extension(43, raw('\x03\x03\x04\x03'))), VERSIONS],
  ['versions with more behind', withExtensions(extension(43, raw('\x02\x03\x04\0'))), VERSIONS],
  ['SSL 2.0 inside of a record', body({ legacy: 0x0002 }), 'it offers no version of TLS'],
];

for (const [what, content, detail] of BROKEN)
  test(`${what} is bad`, () =>
    assert.deepEqual(readMessage(message(content)), { t: 'bad', detail }));

test('a broken ClientHello is told when it is whole', () => {
  const bytes = hello({ extensions: [sni('a'), sni('b')] });
  assert.equal(bytesUntilFinal(bytes), bytes.length);
  assert.deepEqual(readPieces(eachByte(bytes.subarray(0, -1))), { t: 'more' });
});
