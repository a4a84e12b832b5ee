/** DNS names: what is one, and its one canonical form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnsName } from '../src/dns-name.ts';

const LABEL_63 = 'a'.repeat(63);
const NAME_253 = `${`${LABEL_63}.`.repeat(3)}${'b'.repeat(61)}`;

const NAMES: readonly (readonly [text: string, canonical: string | undefined])[] = [
  ['shop.example', 'shop.example'],
  ['ShOp.EXAMPLE', 'shop.example'],
  ['shop.example.', 'shop.example'],
  ['localhost', 'localhost'],
  ['a', 'a'],
  ['a-b--c.example', 'a-b--c.example'],
  ['_dmarc.my_shop_.example', '_dmarc.my_shop_.example'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['3com.4a', '3com.4a'],
  ['10.0.0.1.example', '10.0.0.1.example'],
  [`${LABEL_63}.example`, `${LABEL_63}.example`],
  [`${LABEL_63}a.example`, undefined],
  [NAME_253, NAME_253],
  [`${NAME_253}.`, NAME_253],
  [`${NAME_253}b`, undefined],
  ['', undefined],
  ['.', undefined],
  ['shop.example..', undefined],
  ['.shop.example', undefined],
  ['shop..example', undefined],
  ['-shop.example', undefined],
  ['shop-.example', undefined],
  ['-', undefined],
  ['*.example', undefined],
  ['shop example', undefined],
  [' shop.example', undefined],
  ['shop.example\n', undefined],
  ['shop.example\0', undefined],
  ['shop.example:443', undefined],
  ['bücher.example', undefined],
  ['\u212aelvin.example', undefined],
  ['\ufeffshop.example', undefined],
  ['10.0.0.1', undefined],
  ['10.0.0.1.', undefined],
  ['010.0.0.1', undefined],
  ['127.1', undefined],
  ['2130706433', undefined],
  ['0x7f.0.0.0x1', undefined],
  ['0X7F000001', undefined],
  ['0x7f00000a', undefined],
  ['::1', undefined],
  ['[::1]', undefined],
  ['fe80::1%eth0', undefined],
];

for (const [text, canonical] of NAMES)
  test(`${JSON.stringify(text)} is ${canonical ?? 'no DNS name'}`, () => {
    assert.equal(dnsName(text), canonical);
    if (canonical !== undefined) assert.equal(dnsName(canonical), canonical);
  });
