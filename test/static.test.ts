/** The interpreter `static`: what the configuration lists, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import type { WeightedAddress } from '../src/address.ts';
import type { Interpreter, Resolution } from '../src/interpreter/interpreter.ts';
import { makeStatic } from '../src/interpreter/static.ts';
import { type Path, parsePath } from '../src/path.ts';

const path = (text: string): Path => {
  const parsed = parsePath(text);
  assert.ok(isRight(parsed));
  return parsed.right;
};

const endpoint: WeightedAddress = {
  address: { ip: '127.0.0.1', port: 9989, text: '127.0.0.1:9989' },
  weight: 0.5,
};

const interpreter = makeStatic({
  kind: 'static',
  names: new Map([
    [path('/svc/web'), [endpoint]],
    [path('/svc/empty'), []],
  ]),
});

/** What a name tells at once, and whether it has ended. */
const told = ({ resolve }: Interpreter, name: string) => {
  const heard: Resolution[] = [];
  let ended = false;
  const subscription = resolve(path(name)).subscribe({
    next: (resolution) => heard.push(resolution),
    complete: () => {
      ended = true;
    },
  });
  subscription.unsubscribe();
  return { heard, ended };
};

test('binds a listed name to its endpoints, raw weights and all, and never ends', () =>
  assert.deepEqual(told(interpreter, '/svc/web'), {
    heard: [{ t: 'bound', endpoints: [endpoint] }],
    ended: false,
  }));

test('a name that is listed without endpoints exists, and nobody is home', () =>
  assert.deepEqual(told(interpreter, '/svc/empty').heard, [{ t: 'bound', endpoints: [] }]));

test('every other name does not exist, a longer or shorter one neither', () => {
  for (const name of ['/svc', '/svc/web/x', '/svc/webs', '/'])
    assert.deepEqual(told(interpreter, name), { heard: [{ t: 'neg' }], ended: false });
});
