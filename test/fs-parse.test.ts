/** Files of addresses, line by line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { type HostLine, parseHosts } from '../src/interpreter/namers/fs/parse.ts';

const show = ({ host, port, weight }: HostLine): string =>
  `${host} ${port}${weight === undefined ? '' : ` * ${weight}`}`;

const read = (text: string): string => {
  const found = parseHosts(text);
  return isLeft(found) ? found.left : found.right.map(show).join(', ');
};

const GOOD: Readonly<Record<string, readonly [text: string, read: string]>> = {
  'an address': ['127.0.0.1 8080\n', '127.0.0.1 8080'],
  'no line end': ['127.0.0.1 8080', '127.0.0.1 8080'],
  weights: ['127.0.0.1 8080\n127.0.0.1 8081 * 0.23\n', '127.0.0.1 8080, 127.0.0.1 8081 * 0.23'],
  'a drained one': ['10.0.0.1 80 * 0', '10.0.0.1 80 * 0'],
  'an exponent': ['10.0.0.1 80 * 1e-3', '10.0.0.1 80 * 0.001'],
  comments: ['# all\n10.0.0.1 80 # the first\n  # none\n', '10.0.0.1 80'],
  'blank lines and blanks': ['\n  10.0.0.1\t 80  \n\n', '10.0.0.1 80'],
  'CR LF': ['10.0.0.1 80\r\n10.0.0.2 80\r\n', '10.0.0.1 80, 10.0.0.2 80'],
  IPv6: ['::1 80\n[2001:DB8::0:1] 80\n', '::1 80, 2001:db8::1 80'],
  'IPv4 within IPv6': ['::ffff:10.0.0.1 80', '10.0.0.1 80'],
  'abridged ones': ['127.1 9991\n10.1.258 80\n', '127.0.0.1 9991, 10.1.1.2 80'],
  'a host name': ['DB.example.com. 5432', 'db.example.com 5432'],
  nothing: ['', ''],
};

for (const [what, [text, wanted]] of Object.entries(GOOD))
  test(`reads ${what}`, () => assert.equal(read(text), wanted));

const HINT = (line: number): string => `(line ${line}: expected host port [* weight])`;

const BAD: Readonly<Record<string, readonly [text: string, told: string]>> = {
  'no port': ['10.0.0.1', `malformed address: 10.0.0.1 ${HINT(1)}`],
  'port 0': ['\n10.0.0.1 0', `malformed address: 10.0.0.1 0 ${HINT(2)}`],
  'port 65536': ['10.0.0.1 65536', `malformed address: 10.0.0.1 65536 ${HINT(1)}`],
  'a colon': ['10.0.0.1:80', `malformed address: 10.0.0.1:80 ${HINT(1)}`],
  'a star that does not stand alone': ['::1 80 *2', `malformed address: ::1 80 *2 ${HINT(1)}`],
  'a negative weight': ['::1 80 * -1', `malformed address: ::1 80 * -1 ${HINT(1)}`],
  NaN: ['::1 80 * NaN', `malformed address: ::1 80 * NaN ${HINT(1)}`],
  infinity: ['::1 80 * 1e999', `malformed address: ::1 80 * 1e999 ${HINT(1)}`],
  'a number': ['127 80', `malformed address: 127 80 ${HINT(1)}`],
  'a byte above 255': ['256.1 80', `malformed address: 256.1 80 ${HINT(1)}`],
  'too much behind the last dot': ['1.2.3.256 80', `malformed address: 1.2.3.256 80 ${HINT(1)}`],
  'more than that': ['::1 80 * 1 x', `malformed address: ::1 80 * 1 x ${HINT(1)}`],
};

for (const [what, [text, told]] of Object.entries(BAD))
  test(`refuses ${what}, and the whole file with it`, () => {
    assert.equal(read(text), told);
    assert.ok(isLeft(parseHosts(`10.9.9.9 80\n${text}\n10.9.9.9 81\n`)));
  });

const line = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.constantFrom('::1', '2001:db8::7', 'db', 'db-1.example.com', '_x._tcp.local'),
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
  weight: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
});

test('what is written is read, whatever stands around it', () =>
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n', ' # note\n', '\n\n'), (all, end) => {
      const texts = all.map(
        ({ host, port, weight }) => `${host} ${port}${weight === undefined ? '' : ` * ${weight}`}`,
      );
      const found = parseHosts(texts.map((text) => text + end).join(''));
      assert.ok(isRight(found));
      assert.deepEqual(
        found.right.map(({ isIp: _, ...rest }) => rest),
        all.map(({ weight, ...rest }) => (weight === undefined ? rest : { ...rest, weight })),
      );
    }),
  ));

test('no text makes it throw', () =>
  fc.assert(
    fc.property(fc.string(), (text) => void parseHosts(text)),
    { numRuns: 2000 },
  ));
