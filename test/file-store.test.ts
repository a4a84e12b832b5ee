/** Dtabs in files: outcomes against a model, names of files, versions, and edits by hand. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { firstValueFrom, forkJoin } from 'rxjs';
import { FileStore } from '../src/namerd/file-store.ts';
import { fileOf, namespaceOf } from '../src/namerd/files/names.ts';
import { readStamped, stamp } from '../src/namerd/files/stamp.ts';
import type { Outcome } from '../src/namerd/store.ts';
import { eventually } from './support/eventually.ts';
import { makeScope, temporaryFolder } from './support/process.ts';
import { makeEnv } from './support/store.ts';
import { dtabOf, numberOf } from './support/store-dtabs.ts';

test('each namespace has a file of its own within the folder, and back', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    fc.constantFrom('..', '.', '../../etc/passwd', 'a/b', 'a%2Fb', '.draft-x', 'ü', '\0', 'a.dtab'),
  );
  fc.assert(
    fc.property(name, (namespace) => {
      const file = fileOf(namespace);
      assert.ok(isRight(file));
      assert.match(file.right, /^[\w%-]+\.dtab$/);
      assert.equal(namespaceOf(file.right), namespace);
    }),
  );
  for (const bad of ['', 'a'.repeat(201), '\ud800', 'é'.repeat(40)]) assert.ok(isLeft(fileOf(bad)));
  for (const none of ['a', 'a.b.dtab', 'a b.dtab', '%2f.dtab', '%.dtab', '.dtab', '%61.dtab'])
    assert.equal(namespaceOf(none), undefined, none);
});

test('a version is its count and its text', () => {
  const one = readStamped(stamp('/a=>/b', 17));
  assert.equal(one.count, 17);
  assert.equal(one.text, '/a=>/b\n');
  assert.deepEqual([...one.version.subarray(0, 8)], [0, 0, 0, 0, 0, 0, 0, 17]);
  const versions = ['# version 17\n/a=>/c\n', '# version 18\n/a=>/b\n', '/a=>/b\n', ''];
  const all = [stamp('/a=>/b', 17), ...versions].map((text) => readStamped(text).version.join());
  assert.equal(new Set(all).size, all.length);
  assert.equal(readStamped('# version 9999999999999999\n').count, 0);
});

type Act = {
  readonly t: 'create' | 'put' | 'update' | 'stale' | 'delete' | 'restart';
  readonly on: number;
};

const NAMES = ['default', 'a/b', '..'];
const acts = fc.array(
  fc.record({
    t: fc.constantFrom<Act['t']>('create', 'put', 'update', 'stale', 'delete', 'restart'),
    on: fc.nat(NAMES.length - 1),
  }),
  { maxLength: 25 },
);

/** What the model says of an act; changes the model. */
const expected = (model: Map<string, number>, t: Act['t'], name: string, n: number): Outcome => {
  const has = model.has(name);
  if (t === 'create' && has) return 'exists';
  if (!has && (t === 'update' || t === 'stale' || t === 'delete')) return 'missing';
  if (t === 'stale') return 'mismatch';
  if (t === 'delete') model.delete(name);
  else model.set(name, n);
  return 'done';
};

test('a store does what a map does, over restarts, and never repeats a version', async (t) => {
  const root = await temporaryFolder(makeScope(t));
  let runs = 0;
  const check = async (sequence: readonly Act[]): Promise<void> => {
    const folder = join(root, String(runs++));
    let store = new FileStore(folder, makeEnv());
    const model = new Map<string, number>();
    const seen = new Set<string>();
    for (const [n, { t, on }] of sequence.entries()) {
      const name = NAMES[on] ?? '';
      if (t === 'restart') {
        store = new FileStore(folder, makeEnv());
        continue;
      }
      const known = await firstValueFrom(store.watch(name));
      const version = t === 'stale' ? new Uint8Array(8) : (known?.version ?? new Uint8Array(16));
      const act$ = {
        create: () => store.create(name, dtabOf(n)),
        put: () => store.put(name, dtabOf(n)),
        update: () => store.update(name, dtabOf(n), version),
        stale: () => store.update(name, dtabOf(n), version),
        delete: () => store.delete(name),
      }[t]();
      assert.deepEqual(await firstValueFrom(act$), expected(model, t, name, n));
      const stored = await firstValueFrom(store.watch(name));
      assert.equal(stored && numberOf(stored.dtab), model.get(name));
      if (stored !== undefined && model.get(name) === n) {
        const shown = `${name} ${stored.version.join()}`;
        assert.ok(!seen.has(shown));
        seen.add(shown);
      }
      assert.deepEqual([...(await firstValueFrom(store.list$))].sort(), [...model.keys()].sort());
    }
  };
  await fc.assert(fc.asyncProperty(acts, check), { numRuns: 30 });
  // Nothing was made beside the folders of the runs.
  assert.ok((await readdir(root)).every((name) => /^\d+$/.test(name)));
});

test('of many that hold the same version one wins', async (t) => {
  const store = new FileStore(await temporaryFolder(makeScope(t)), makeEnv());
  await firstValueFrom(store.create('a', dtabOf(0)));
  const version = (await firstValueFrom(store.watch('a')))?.version ?? new Uint8Array();
  const all$ = Array.from({ length: 20 }, (_, i) => store.update('a', dtabOf(i + 1), version));
  const outcomes = await firstValueFrom(forkJoin(all$));
  assert.deepEqual(outcomes, ['done', ...Array.from({ length: 19 }, () => 'mismatch')]);
});

test('an edit by hand is seen with a new version; nonsense, told once, leaves the last good dtab', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  const logged: string[] = [];
  const store = new FileStore(folder, makeEnv(logged));
  const told: (string | undefined)[] = [];
  const versions = new Set<string>();
  const watching = store.watch('a').subscribe((stored) => {
    told.push(stored && String(numberOf(stored.dtab)));
    if (stored !== undefined) versions.add(stored.version.join());
  });
  t.after(() => watching.unsubscribe());
  const file = join(folder, 'a.dtab');
  const seen = (...all: readonly (string | undefined)[]) =>
    eventually(`told ${all}`, () => JSON.stringify(told) === JSON.stringify(all));
  await firstValueFrom(store.create('a', dtabOf(1)));
  const [line, ...rest] = (await readFile(file, 'utf8')).split('\n');
  assert.equal(line, '# version 1');
  await seen(...told.slice(0, 1).filter((one) => one === undefined), '1');
  told.length = 0;
  await writeFile(file, [line, ...rest].join('\n').replaceAll('fs/1', 'fs/2'));
  await seen('2');
  await writeFile(file, 'nonsense');
  await eventually('a complaint', () => logged.length > 0);
  await writeFile(join(folder, 'new'), rest.join('\n').replaceAll('fs/1', 'fs/3'));
  await rename(join(folder, 'new'), file);
  await seen('2', '3');
  await rm(file);
  await seen('2', '3', undefined);
  assert.equal(versions.size, 3);
  assert.equal(logged.length, 2);
  assert.match(logged[0] ?? '', /^warn .*kept a line 1, column 1/);
  assert.match(logged[1] ?? '', /^info .*again a$/);
});

test('what the folder cannot do is told in words', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  await mkdir(join(folder, 'a.dtab'));
  await writeFile(join(folder, 'file'), '');
  const cause = async (outcome: Promise<Outcome>): Promise<string> => {
    const got = await outcome;
    return typeof got === 'string' ? got : got.cause;
  };
  const store = new FileStore(folder, makeEnv());
  assert.match(await cause(firstValueFrom(store.put('a', []))), /a\.dtab: .*regular file|folder/);
  assert.match(await cause(firstValueFrom(store.put('', []))), /^expected the name/);
  const beside = new FileStore(join(folder, 'file', 'x'), makeEnv());
  assert.match(await cause(firstValueFrom(beside.put('a', []))), /^cannot prepare .*ENOTDIR/);
  const many = Array.from({ length: 300 }, () => dtabOf(1)).flat();
  assert.match(
    await cause(firstValueFrom(store.put('b', many))),
    /^expected at most 1048576 bytes/,
  );
});

test('what looks like a draft and is no file is left alone, and hinders nobody else', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  await mkdir(join(folder, '.draft-x', 'y'), { recursive: true });
  await mkdir(join(folder, '.draft-a.dtab'));
  await writeFile(join(folder, '.draft-b.dtab'), 'half a');
  const store = new FileStore(folder, makeEnv());
  assert.equal(await firstValueFrom(store.create('b', dtabOf(1))), 'done');
  assert.deepEqual(await firstValueFrom(store.create('a', dtabOf(1))), {
    t: 'failed',
    cause: `cannot write ${join(folder, 'a.dtab')}: it is a folder`,
  });
  assert.deepEqual([...(await firstValueFrom(store.list$))], ['b']);
  assert.deepEqual((await readdir(folder)).sort(), ['.draft-a.dtab', '.draft-x', 'b.dtab']);
});
