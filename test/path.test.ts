/** Names, prefixes and addresses: what is one, what matches, and their one canonical form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { parseAddress, showPeer } from '../src/address.ts';
import { compilePrefix, type Path, parsePath, substitute } from '../src/path.ts';

test('a path has a slash before each segment, none empty, none at the end', () => {
  for (const good of [
    '/',
    '/svc',
    '/svc/a.b_c-d:1',
    '/#/io.l5d.fs/x',
    '/$/inet/h/1',
    '/a\\x20b',
    '/%/x',
  ])
    assert.ok(isRight(parsePath(good)), good);
  for (const bad of ['', 'svc', '/svc/', '//', '/a//b', '/a b', '/a?b', '/ü', '/a\n', '/{a}'])
    assert.ok(!isRight(parsePath(bad)), bad);
});

const PREFIXES: readonly (readonly [string, string, object | undefined])[] = [
  ['/', '/svc/a', {}],
  ['/svc', '/svc', {}],
  ['/svc', '/svc/a', {}],
  ['/svc', '/svcs', undefined],
  ['/svc/a', '/svc', undefined],
  ['/foo/*/*', '/foo/a/b/c', {}],
  ['/foo/*', '/foo', undefined],
  ['/foo/{A}', '/foo/bar', { A: 'bar' }],
  ['/foo/{A_B}/*/{C}', '/foo/x/y/z', { A_B: 'x', C: 'z' }],
  ['/foo/{A}:http', '/foo/bar:http', { A: 'bar' }],
  ['/foo/{A}:http', '/foo/bar:https', undefined],
  ['/{A}.{B}.{C}', '/a.b.c', { A: 'a', B: 'b', C: 'c' }],
  ['/{A}-{B}', '/a-b-c', { A: 'a-b', B: 'c' }],
  ['/{A}.com', '/foo.company', undefined],
];

for (const [prefix, name, captures] of PREFIXES)
  test(`${prefix} ${captures === undefined ? 'does not match' : 'matches'} ${name}`, () => {
    const found = compilePrefix(prefix)(name as Path);
    assert.deepEqual(found === undefined ? undefined : { ...found }, captures);
  });

test('captures stand in for their names, and unknown names stay', () => {
  assert.equal(substitute('{a}.x.{b}', { a: '1' }), '1.x.{b}');
});

const ADDRESSES: readonly (readonly [string, string | undefined])[] = [
  ['10.0.0.1:80', '10.0.0.1:80'],
  ['[::1]:80', '[::1]:80'],
  ['[0:0:0:0:0:0:0:1]:80', '[::1]:80'],
  ['[2001:DB8::0:1]:443', '[2001:db8::1]:443'],
  ['[::ffff:10.0.0.1]:80', '10.0.0.1:80'],
  ['[fe80::1%eth0]:80', '[fe80::1%eth0]:80'],
  ['localhost:80', undefined],
  ['10.0.0.1', undefined],
  ['10.0.0.1:0', undefined],
  ['10.0.0.1:65536', undefined],
  ['10.0.0.256:80', undefined],
  ['010.0.0.1:80', undefined],
  ['::1:80', undefined],
  ['', undefined],
];

for (const [text, canonical] of ADDRESSES)
  test(`${text || 'an empty text'} is ${canonical ?? 'no address'}`, () =>
    assert.equal(parseAddress(text)?.text, canonical));

test('an IPv4 client of an IPv6 listener is shown as IPv4', () => {
  assert.equal(showPeer('::ffff:10.0.0.1', 5), '10.0.0.1:5');
  assert.equal(showPeer('::1', 5), '[::1]:5');
  assert.equal(showPeer('10.0.0.1', 5), '10.0.0.1:5');
});
