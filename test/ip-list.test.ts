/** Lists of addresses and networks: what is on them is what the platform says. */
import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../src/ip.ts';
import { makeIpList } from '../src/server/ip-list.ts';

const LISTED: readonly (readonly [entries: readonly string[], on: string, off: string])[] = [
  [[], '', '10.0.0.1'],
  [['10.1.2.3'], '10.1.2.3', '10.1.2.4'],
  [['10.0.0.0/8'], '10.255.255.255', '11.0.0.0'],
  [['10.1.2.3/8'], '10.0.0.0', '9.255.255.255'],
  [['0.0.0.0/0'], '255.255.255.255', '::1'],
  [['192.0.2.128/25', '10.0.0.0/8'], '192.0.2.200', '192.0.2.127'],
  [['fd00::/8'], 'fd12::1', 'fe00::1'],
  [['::1'], '::1', '0.0.0.1'],
  [['::ffff:10.0.0.0/104'], '10.1.1.1', '11.1.1.1'],
  [['fd00::/8'], 'fd00::', '253.0.0.0'],
];

for (const [entries, on, off] of LISTED)
  test(`of ${entries.join(' and ') || 'nobody'}`, () => {
    const isOn = makeIpList(entries);
    if (on !== '') assert.equal(isOn(on), true, on);
    assert.equal(isOn(off), false, off);
  });

const octet = fc.constantFrom(0, 1, 10, 127, 128, 192, 255);
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const hextet = fc.constantFrom('0', '1', 'fd00', 'ffff', '8000', 'a00');
const v6 = fc
  .array(hextet, { minLength: 8, maxLength: 8 })
  .map((parts) => canonicalIp(parts.join(':')) ?? '::');
const entry = fc.oneof(
  v4,
  v6,
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map((network) => network.join('/')),
  fc
    .tuple(v6, fc.integer({ min: 0, max: 128 }))
    .filter(([ip]) => ip.includes(':'))
    .map((network) => network.join('/')),
);

test('whatever is listed, the answer is that of the platform, the second time as well', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), fc.array(fc.oneof(v4, v6)), (entries, ips) => {
      const list = new BlockList();
      const family = (ip: string) => (ip.includes(':') ? 'ipv6' : 'ipv4');
      for (const one of entries) {
        const [ip = '', length] = one.split('/');
        if (length === undefined) list.addAddress(ip, family(ip));
        else list.addSubnet(ip, Number(length), family(ip));
      }
      const isOn = makeIpList(entries);
      for (const ip of [...ips, ...ips])
        assert.equal(isOn(ip), list.check(ip, family(ip)), `${ip} in ${entries}`);
    }),
    { numRuns: 2000 },
  );
});
