/** namerd's bytes and JSON as answers: the vectors of its own tests that a client meets, and uglier ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAnswer, readType } from '../src/interpreter/answer.ts';
import { LineQueue } from '../src/interpreter/bytes.ts';
import { canonicalIp } from '../src/ip.ts';

const bound = (...addrs: readonly unknown[]): string =>
  JSON.stringify({ type: 'bound', addrs, meta: {} });

const weighted = (weight: unknown) => ({
  ip: '10.0.0.1',
  port: 80,
  meta: { endpoint_addr_weight: weight },
});

/** The endpoints of an answer as `address*weight`; anything else as its words. */
const read = (text: string): string => {
  const { resolution } = parseAnswer(readType(text));
  if (resolution.t === 'failed') return `failed ${resolution.cause}`;
  if (resolution.t !== 'bound') return resolution.t;
  const shown = resolution.endpoints.map(({ address, weight }) => `${address.text}*${weight}`);
  return `bound ${shown.join(' ')}`.trim();
};

const flaws = (text: string): readonly string[] => parseAnswer(readType(text)).flaws;

const V19 = '{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{}}],"meta":{}}';
const V21 =
  '{"type":"bound","addrs":[{"ip":"127.0.0.1","port":1,"meta":{"isa-meta":"isa-data"}}],' +
  '"meta":{"bound-meta":"bound-data"}}';

test('V19: a bound address', () => assert.equal(read(V19), 'bound 127.0.0.1:1*1'));

test('V21: meta that it does not know is ignored, at both levels', () => {
  assert.equal(read(V21), 'bound 127.0.0.1:1*1');
  assert.deepEqual(flaws(V21), []);
});

test('a consul answer: nested service_meta and node_meta, authority, unknown keys', () =>
  assert.equal(
    read(
      JSON.stringify({
        meta: { authority: 'web.service.consul', service_meta: { a: { b: [1] } } },
        later: 'version',
        addrs: [{ ip: '10.0.0.1', port: 80, meta: { node_meta: { c: 'd' } }, more: null }],
        type: 'bound',
      }),
    ),
    'bound 10.0.0.1:80*1',
  ));

test('bound without addresses is no neg: the name exists, and nobody is home', () =>
  assert.equal(read('{"type":"bound","addrs":[],"meta":{}}'), 'bound'));

test('neg, pending and failed need neither addrs nor meta', () => {
  assert.equal(read('{"type":"neg"}'), 'neg');
  assert.equal(read('{"type":"pending"}'), 'pending');
  assert.equal(read('{"type":"failed","cause":"consul is down"}'), 'failed namerd: consul is down');
  assert.equal(read('{"type":"failed"}'), 'failed namerd: failed');
  assert.equal(read('{"type":"failed","cause":null}'), 'failed namerd: failed');
});

test('the type is looked at first: addrs beside neg mean nothing', () =>
  assert.equal(read('{"type":"neg","addrs":"nonsense","meta":7}'), 'neg'));

test('an unknown type, a tree of /bind, or no type at all is a failure that shows it', () => {
  assert.match(
    read('{"type":"leaf","bound":{}}'),
    /^failed .* got \{"type":"leaf","bound":\{\}\}$/,
  );
  assert.match(read('{"type":"later"}'), /^failed .* got \{"type":"later"\}$/);
  assert.match(read('{"addrs":[]}'), /^failed .* got \{"addrs":\[\]\}$/);
  for (const text of ['7', 'null', '"bound"', '[]', 'true', '{}'])
    assert.match(read(text), /^failed /, text);
});

test('levels without end are a failure or a flaw, and no more', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  assert.match(read(`{"type":"later","more":${deep}}`), /^failed .* got too many levels$/);
  assert.match(flaws(`{"type":"bound","addrs":[${deep}]}`).join(), /got too many levels, left out/);
});

test('bound without a list of addresses is a failure', () => {
  for (const text of [
    '{"type":"bound"}',
    '{"type":"bound","addrs":{}}',
    '{"type":"bound","addrs":null}',
  ])
    assert.match(read(text), /^failed .*expected "addrs"/, text);
});

test('V18: a line of text is namerd’s word for an error', () =>
  assert.equal(read('error'), 'failed namerd: error'));

test('a text error in the log is short, and on one line', () => {
  assert.equal(
    read('java.lang.Error\r\n\tat x\u0000\u001b[31m'),
    'failed namerd: java.lang.Error at x [31m',
  );
  assert.ok(read(`<html>${'x'.repeat(100_000)}`).length < 200);
  assert.equal(read(''), 'failed namerd: empty answer');
});

test('IPv6 is one text however it is written', () => {
  const same = (ip: string, text: string) => assert.equal(canonicalIp(ip), text, ip);
  same('0:0:0:0:0:0:0:1', '::1');
  same('2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1');
  same('2001:0db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1');
  same('::', '::');
  same('::ffff:10.0.0.1', '10.0.0.1');
  same('0:0:0:0:0:ffff:7f00:1', '127.0.0.1');
  assert.equal(read(bound({ ip: '0:0:0:0:0:0:0:1', port: 80 })), 'bound [::1]:80*1');
});

test('a zone is kept where an address means nothing without it, and dropped elsewhere', () => {
  assert.equal(
    read(bound({ ip: 'fe80:0:0:0:1:2:3:4%eth0', port: 80, meta: {} })),
    'bound [fe80::1:2:3:4%eth0]:80*1',
  );
  assert.equal(canonicalIp('fe80::1%2'), 'fe80::1%2');
  assert.equal(canonicalIp('0:0:0:0:0:0:0:1%lo'), '::1');
  assert.equal(canonicalIp('2001:db8:0:0:0:0:0:1%3'), '2001:db8::1');
});

test('what is no IP address is none', () => {
  const wrong = ['', 'web.example', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4%eth0', '1.2.3.4:80'];
  const worse = [
    '::1::',
    ':',
    '%eth0',
    '::1%',
    '[::1]',
    '::1/64',
    '1:2:3:4:5:6:7:8:9',
    '::g',
    '::1%a b',
  ];
  for (const text of [...wrong, ...worse]) assert.equal(canonicalIp(text), undefined, text);
});

test('addresses that cannot be dialed are left out, and the others stay', () => {
  const text = bound(
    { ip: 'web.example', port: 80 },
    { ip: '10.0.0.1', port: 80 },
    { ip: '10.0.0.2', port: 0 },
    { ip: '10.0.0.3', port: 65_536 },
    { ip: '10.0.0.4', port: '80' },
    { ip: '10.0.0.5', port: 80.5 },
    { ip: 7, port: 80 },
    { port: 80 },
    null,
    'text',
    [],
  );
  assert.equal(read(text), 'bound 10.0.0.1:80*1');
  assert.deepEqual(flaws(text), [
    'address: expected an ip and a port, got {"ip":"web.example","port":80}, left out',
    'address: expected an ip and a port, got {"ip":"10.0.0.2","port":0}, left out',
    'address: expected an ip and a port, got {"ip":"10.0.0.3","port":65536}, left out',
    'and 7 more',
  ]);
});

test('weights are raw: integers, fractions, large ones, and 0 for a drain', () => {
  for (const weight of [100, 0.23, 1e9, 0, 1]) {
    assert.equal(read(bound(weighted(weight))), `bound 10.0.0.1:80*${weight}`);
    assert.deepEqual(flaws(bound(weighted(weight))), []);
  }
});

test('a weight that is no finite number of at least 0 counts as 1, with a word about it', () => {
  for (const weight of [-1, 'NaN', '0.5', null, {}, [], true]) {
    assert.equal(read(bound(weighted(weight))), 'bound 10.0.0.1:80*1');
    assert.match(flaws(bound(weighted(weight)))[0] ?? '', /^10\.0\.0\.1:80 weight: .* taken as 1$/);
  }
  const huge = bound(weighted(0)).replace('_weight":0', '_weight":1e999');
  assert.equal(read(huge), 'bound 10.0.0.1:80*1');
});

test('meta that is no object says nothing of the weight', () => {
  for (const meta of [null, 'x', 7, [], undefined]) {
    assert.equal(read(bound({ ip: '10.0.0.1', port: 80, meta })), 'bound 10.0.0.1:80*1');
    assert.deepEqual(flaws(bound({ ip: '10.0.0.1', port: 80, meta })), []);
  }
});

test('an address that is listed twice is one endpoint, in its first place, with the larger weight', () =>
  assert.equal(
    read(
      bound(
        { ip: '::1', port: 80, meta: { endpoint_addr_weight: 0.5 } },
        { ip: '10.0.0.1', port: 80, meta: {} },
        { ip: '0:0:0:0:0:0:0:1', port: 80, meta: { endpoint_addr_weight: 2 } },
        { ip: '::1%lo', port: 80, meta: { endpoint_addr_weight: 0 } },
      ),
    ),
    'bound [::1]:80*2 10.0.0.1:80*1',
  ));

test('10,000 endpoints are read whole', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({
    ip: `10.0.${i >> 8}.${i & 255}`,
    port: 80,
  }));
  const { resolution } = parseAnswer(readType(bound(...many)));
  assert.ok(resolution.t === 'bound');
  assert.equal(resolution.endpoints.length, 10_000);
});

test('no text makes it throw', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((meta) => bound(JSON.parse(meta))),
      ),
      (text) => {
        parseAnswer(readType(text));
      },
    ),
  ));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const readLines = (...pieces: readonly Uint8Array[]): readonly string[] => {
  const queue = new LineQueue();
  return pieces.flatMap((piece) => queue.push(piece));
};

test('V28: documents come whole and once, however the bytes are cut', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify({ text })),
        { maxLength: 8 },
      ),
      fc.array(fc.nat({ max: 400 }), { maxLength: 40 }),
      (documents, cuts) => {
        const all = bytes(documents.map((text) => `${text}\n`).join(''));
        const places = [...new Set(cuts), all.length]
          .filter((at) => at <= all.length)
          .sort((a, b) => a - b);
        const pieces = places.map((to, i) => all.subarray(places[i - 1] ?? 0, to));
        assert.deepEqual(readLines(...pieces), documents);
      },
    ),
  ));

test('V28: one byte at a time, several documents in one chunk, and a chunk of nothing but LF', () => {
  const text = `${V19}\n\n${V21}\n`;
  assert.deepEqual(readLines(...[...bytes(text)].map((byte) => Uint8Array.of(byte))), [V19, V21]);
  assert.deepEqual(readLines(bytes(text)), [V19, V21]);
  assert.deepEqual(readLines(bytes('\n'), bytes(`${V19}\n`), bytes('\n\n')), [V19]);
});

test('V28: a document of 30 kB over many chunks', () => {
  const document = JSON.stringify({ type: 'failed', cause: 'ä'.repeat(15_000) });
  const all = bytes(`${document}\n`);
  const pieces = Array.from({ length: 311 }, (_, i) => all.subarray(i * 97, (i + 1) * 97));
  assert.deepEqual(readLines(...pieces), [document]);
});

test('a BOM, CRLF and blanks around a line are no part of it', () => {
  const bom = Uint8Array.of(0xef, 0xbb, 0xbf);
  assert.deepEqual(readLines(bom, bytes(`${V19}\r\n \r\n`), bytes(` ${V21} \n`)), [V19, V21]);
});

test('what a line that was cut off held is not given out as a line', () => {
  const queue = new LineQueue();
  assert.deepEqual(queue.push(bytes(`${V19}\n{"type":"ne`)), [V19]);
  assert.equal(queue.size, 11);
});

test('bytes that are no UTF-8 make a failure, not a crash', () => {
  const [line = ''] = readLines(Uint8Array.of(0xff, 0xfe, 0x80, 0x0a));
  assert.match(read(line), /^failed /);
});
