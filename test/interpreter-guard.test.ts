/** What interpreters of others’ code may say: whatever else they do fails their own names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, firstValueFrom, NEVER, of } from 'rxjs';
import { makeAddress } from '../src/address.ts';
import { guardInterpreter } from '../src/interpreter/guard.ts';
import type { Resolution } from '../src/interpreter/interpreter.ts';
import type { Path } from '../src/path.ts';
import { REAL } from './support/naming.ts';

const endpoints = [{ address: makeAddress('10.0.0.1', 80), weight: 1 }];
const set = { t: 'set', id: 'a', endpoints };

const heard = async (said: unknown): Promise<string> => {
  const interpreter = { resolve: () => concat(of(said as Resolution), NEVER) };
  const guarded = guardInterpreter(() => interpreter, REAL);
  return (await firstValueFrom(guarded.resolve('/svc' as Path))).t;
};

test('a union is taken as it should be, at any depth', async () => {
  const union = { t: 'union', branches: [{ weight: 1, part: set }] };
  const nested = { t: 'union', branches: [{ weight: 0, part: union }] };
  assert.equal(await heard({ t: 'bound', endpoints, union: nested }), 'bound');
  assert.equal(await heard({ t: 'bound', endpoints, union: undefined }), 'bound');
  assert.equal(await heard({ t: 'confirmed' }), 'confirmed');
});

test('one that is none fails its name alone', async () => {
  for (const union of [
    7,
    {},
    set,
    { t: 'union' },
    { t: 'union', branches: [{ weight: 1 }] },
    { t: 'union', branches: [{ weight: -1, part: set }] },
    { t: 'union', branches: [{ weight: 1, part: { ...set, endpoints: [{}] } }] },
    { t: 'union', branches: [{ weight: 1, part: { t: 'union', branches: 7 } }] },
  ])
    assert.equal(await heard({ t: 'bound', endpoints, union }), 'failed', JSON.stringify(union));
});
