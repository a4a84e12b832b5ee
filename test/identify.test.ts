/** Rules of identification: which one holds, and that nothing a stranger sends can make a name of another shape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import type { Conditions, IdentifyRule, NamedRule } from '../src/config/config.ts';
import { parsePath, segments } from '../src/path.ts';
import { alternativeNames } from '../src/server/certificate.ts';
import { compileIdentify, constantOf } from '../src/server/identify.ts';
import type { ClientCert, Source } from '../src/source.ts';
import { noPlugin } from './support/no-plugin.ts';

const rule = (conditions: Conditions, dst: string): NamedRule => ({
  place: dst,
  conditions,
  dst,
});

const CERT: ClientCert = {
  subject: 'O=Shop, CN=web.prod',
  cn: 'web.prod',
  dns: ['a.example', 'web.example'],
  uris: ['https://x/y', 'spiffe://prod/ns/shop/sa/web'],
  ips: ['10.0.0.1', '2001:db8::1'],
  spiffe: 'spiffe://prod/ns/shop/sa/web',
  fingerprint: 'ab01',
};

const SOURCE: Source = {
  ip: '10.1.2.3',
  port: 4000,
  localPort: 5432,
  sni: 'db.shop.example',
  alpn: ['redis', 'h2'],
  cert: CERT,
};

const dstOf = (rules: readonly IdentifyRule[], source: Partial<Source> = {}): string | undefined =>
  compileIdentify(rules, noPlugin)({ ...SOURCE, ...source })?.dst;

test('the first rule that holds decides, and says where it stands', () => {
  const rules = [rule({ sni: ['other'] }, '/a'), rule({}, '/b'), rule({}, '/c')];
  assert.deepEqual(compileIdentify(rules, noPlugin)(SOURCE), { dst: '/b', rule: '/b' });
  assert.equal(compileIdentify(rules.slice(0, 1), noPlugin)(SOURCE), undefined);
});

const HOLDS: readonly (readonly [Conditions, boolean])[] = [
  [{ sni: ['db.shop.example'] }, true],
  [{ sni: ['shop.example', '*.shop.example'] }, true],
  [{ sni: ['*.example'] }, false],
  [{ sni: ['*'] }, false],
  [{ sni: ['d{x}.shop.example'] }, true],
  [{ alpn: ['h2'] }, true],
  [{ alpn: ['http/1.1'] }, false],
  [{ source: ['10.0.0.0/8'] }, true],
  [{ source: ['10.1.2.4', '2001:db8::/32'] }, false],
  [{ localPort: [80, 5432] }, true],
  [{ localPort: [80] }, false],
  [{ clientCert: { dns: ['*.example'] } }, true],
  [{ clientCert: { dns: ['*.other'] } }, false],
  [{ clientCert: { cn: ['web.*'] } }, true],
  [{ clientCert: { subject: ['O=Shop, CN=web.prod'] } }, true],
  [{ clientCert: { subject: ['O=Shop'] } }, false],
  [{ clientCert: { uri: ['spiffe://prod/ns/*/sa/web'] } }, true],
  [{ clientCert: { uri: ['spiffe://prod/ns/*'] } }, false],
  [{ clientCert: { spiffe: ['spiffe://prod/ns/shop/sa/web'] } }, true],
  [{ clientCert: { ip: ['2001:db8::1'] } }, true],
  [{ clientCert: { fingerprint: ['ab01'] } }, true],
  [{ clientCert: {} }, true],
  [{ sni: ['dbxshopxexample'] }, false],
  [{ sni: ['{a}.example'] }, false],
  [{ sni: ['db.shop.example.{a}'] }, false],
  [{ source: ['::ffff:0:0/96'] }, true],
  [{ source: ['0.0.0.0/0'] }, true],
  [{ source: ['10.1.2.2/31'] }, true],
  [{ source: ['10.1.2.0/31'] }, false],
  [{ clientCert: { spiffe: ['spiffe://{trust}/ns/*/sa/web'] } }, true],
  [{ clientCert: { spiffe: ['spiffe://*'] } }, false],
  [{ clientCert: { dns: ['a.example'], fingerprint: ['00'] } }, false],
  [{ sni: ['db.shop.example'], alpn: ['nothing'] }, false],
  [{ sni: ['db.shop.example'], alpn: ['h2'], localPort: [5432], source: ['10.1.2.3'] }, true],
];

for (const [conditions, isSo] of HOLDS)
  test(`${JSON.stringify(conditions)} ${isSo ? 'holds' : 'does not hold'}`, () => {
    assert.equal(dstOf([rule(conditions, '/a')]), isSo ? '/a' : undefined);
  });

test('what is not known meets no condition', () => {
  const { sni: _, cert: __, ...unknown } = SOURCE;
  const stranger: Source = { ...unknown, alpn: [] };
  for (const conditions of [
    { sni: ['*.*.*'] },
    { alpn: ['redis'] },
    { clientCert: { dns: ['*.example'] } },
    { clientCert: {} },
  ])
    assert.equal(compileIdentify([rule(conditions, '/a')], noPlugin)(stranger), undefined);
  // A name that cannot be filled in is none.
  assert.equal(compileIdentify([rule({}, '/svc/{sni}')], noPlugin)(stranger), undefined);
  assert.equal(compileIdentify([rule({}, '/svc/{alpn}')], noPlugin)(stranger), undefined);
});

test('captures and what is built in fill the name', () => {
  const conditions = {
    sni: ['{first}.{second}.example'],
    clientCert: { uri: ['spiffe://{trust}/ns/{ns}/sa/*'] },
  };
  assert.equal(dstOf([rule(conditions, '/{trust}/{ns}/{first}-{second}')]), '/prod/shop/db-shop');
  assert.equal(
    dstOf([rule({}, '/{sni}/{alpn}/{source}/{localPort}')]),
    '/db.shop.example/redis/10.1.2.3/5432',
  );
  assert.equal(dstOf([rule({}, '/{source}')], { ip: '2001:db8::1' }), '/2001:db8::1');
});

test('a rule that asks nothing needs nothing to be known', () => {
  assert.deepEqual(constantOf([rule({}, '/a'), rule({}, '/b')]), { dst: '/a', rule: '/a' });
  assert.equal(constantOf([rule({}, '/{sni}')]), undefined);
  assert.equal(constantOf([rule({ localPort: [1] }, '/a')]), undefined);
});

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('..', '/', '/svc/b', 'a/b', '\\x2f', '{sni}', 'constructor', '%2f', 'é\u0000'),
);

test('whatever a stranger sends is one segment of a valid name, or no name at all', () => {
  const identify = compileIdentify(
    [rule({ clientCert: { cn: ['{cn}'] } }, '/svc/{sni}/x-{cn}/end'), rule({}, '/svc/{sni}')],
    noPlugin,
  );
  fc.assert(
    fc.property(anything, anything, (sni, cn) => {
      const found = identify({ ...SOURCE, sni, cert: { ...CERT, cn } });
      if (found === undefined) return;
      assert.ok(isRight(parsePath(found.dst)), found.dst);
      assert.equal(segments(found.dst).length, found.rule.endsWith('end') ? 4 : 2);
      assert.ok(found.dst.startsWith('/svc/'));
    }),
    { numRuns: 1000 },
  );
});

const wellFormed = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 253 });

test('two texts never become the same name', () => {
  const identify = compileIdentify([rule({}, '/{sni}')], noPlugin);
  const nameOf = (sni: string): string | undefined => identify({ ...SOURCE, sni })?.dst;
  fc.assert(
    fc.property(fc.oneof(wellFormed, anything), fc.oneof(wellFormed, anything), (one, other) => {
      const [a, b] = [nameOf(one), nameOf(other)];
      if (![one, other].some((text) => /\p{Cs}/u.test(text)) && a !== undefined && b !== undefined)
        assert.equal(a === b, one === other);
    }),
  );
  assert.equal(nameOf('a/b'), '/a\\x2fb');
  assert.equal(nameOf('a\\x2fb'), '/a\\x5cx2fb');
});

test('networks of both versions, and clients that wrap one in the other', () => {
  const lan = [rule({ source: ['10.0.0.0/8', '2001:db8::/33', 'fe80::/10'] }, '/lan')];
  const cases: readonly (readonly [ip: string, isIn: boolean])[] = [
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['::ffff:10.0.0.1', true],
    ['2001:db8:7fff::1', true],
    ['2001:db8:8000::1', false],
    ['fe80::1%eth0', true],
    ['::a00:1', false],
  ];
  for (const [ip, isIn] of cases) assert.equal(dstOf(lan, { ip }), isIn ? '/lan' : undefined, ip);
});

test('alternative names are told apart, whatever stands in them', () => {
  const text =
    'DNS:a.example, URI:"spiffe://x/a\\u002c DNS:evil.example", IP Address:10.0.0.1, DNS:b';
  assert.deepEqual(
    [...alternativeNames(text)],
    [
      ['DNS', ['a.example', 'b']],
      ['URI', ['spiffe://x/a, DNS:evil.example']],
      ['IP Address', ['10.0.0.1']],
    ],
  );
});
