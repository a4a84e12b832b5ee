/** Addresses of clients in scenarios. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../src/address.ts';
import { makeDice, roll } from '../src/balancer/random.ts';
import { makeIpList } from '../src/server/ip-list.ts';
import { sourcesOf } from '../src/simulate/sources.ts';

const some = (source: string, count = 200): readonly string[] => {
  const dice = makeDice(0.5);
  const next = sourcesOf(source, () => roll(dice));
  return Array.from({ length: count }, () => parseAddress(next())?.ip ?? 'none');
};

for (const network of [
  '10.0.0.0/8',
  '192.0.2.64/26',
  'fd00::/8',
  '2001:db8:0:1::/64',
  'fd00::1:0/117',
])
  test(`clients of ${network} are in it, and not all the same`, () => {
    const isIn = makeIpList([network]);
    const ips = some(network);
    for (const ip of ips) assert.ok(isIn(ip), ip);
    assert.ok(new Set(ips).size > 40);
  });

test('a single address is that of all', () => {
  assert.deepEqual(new Set(some('fd00::1')), new Set(['fd00::1']));
  assert.deepEqual(new Set(some('192.0.2.1/32')), new Set(['192.0.2.1']));
  assert.deepEqual(new Set(some('fd00::1/128')), new Set(['fd00::1']));
});
