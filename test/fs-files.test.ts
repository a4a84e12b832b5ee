/** The namer of files on a real file system: every way in which files are replaced. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { of } from 'rxjs';
import { DISK } from '../src/interpreter/namers/fs/files.ts';
import { makeFs } from '../src/interpreter/namers/fs/fs.ts';
import type { Path } from '../src/path.ts';
import { Listener, REAL, showBinding } from './support/naming.ts';

const start = (context: TestContext) => {
  const rootDir = mkdtempSync(join(tmpdir(), 'names-'));
  context.after(() => rmSync(rootDir, { recursive: true }));
  const config = { kind: 'io.l5d.fs', rootDir, prefix: '/io.l5d.fs' as Path } as const;
  const resolve = () => of({ t: 'bound', ips: ['10.9.9.9'] } as const);
  const namer = makeFs({ config, prefix: '/#/io.l5d.fs' as Path, resolve }, REAL);
  return {
    at: (name: string) => join(rootDir, name),
    follow: (name: string) => new Listener(context, showBinding(namer(name as Path))),
  };
};

test('a file is followed through writes, renames, cuts and its end', async (context) => {
  const { at, follow } = start(context);
  const web = follow('/web');
  await web.until('neg');
  writeFileSync(at('web'), '10.0.0.1 80\n');
  await web.until('10.0.0.1:80');
  appendFileSync(at('web'), '10.0.0.2 80 * 0.5\n');
  await web.until('10.0.0.1:80, 10.0.0.2:80 * 0.5');
  writeFileSync(at('.new'), 'db.example.com 81\n');
  renameSync(at('.new'), at('web'));
  await web.until('10.9.9.9:81');
  truncateSync(at('web'));
  await web.until('nobody');
  rmSync(at('web'));
  await web.until('neg');
  writeFileSync(at('web'), '10.0.0.3 80\n');
  await web.until('10.0.0.3:80');
});

test('links are followed, also where a folder on the way is swapped', async (context) => {
  const { at, follow } = start(context);
  mkdirSync(at('v1'));
  mkdirSync(at('v2'));
  writeFileSync(at('v1/web'), '10.0.0.1 80\n');
  writeFileSync(at('v2/web'), '10.0.0.2 80\n');
  symlinkSync('v1', at('..data'));
  symlinkSync('..data/web', at('web'));
  const web = follow('/web');
  await web.until('10.0.0.1:80');
  symlinkSync('v2', at('..tmp'));
  renameSync(at('..tmp'), at('..data'));
  await web.until('10.0.0.2:80');
});

test('what is malformed, too large or cannot be read fails, and says why', async (context) => {
  const { at, follow } = start(context);
  writeFileSync(at('web'), '10.0.0.1 80\n10.0.0.2\n');
  const web = follow('/web');
  const hint = '(line 2: expected host port [* weight])';
  await web.until(`failed ${at('web')}: malformed address: 10.0.0.2 ${hint}`);
  writeFileSync(at('web'), '# long\n'.repeat(80_000));
  await web.until(`failed ${at('web')}: expected at most 512000 bytes, got 560000`);
  writeFileSync(at('.web'), '10.0.0.1 80\n');
  renameSync(at('.web'), at('web'));
  await web.until('10.0.0.1:80');
});

test('files of folders, and links in circles', async (context) => {
  const { at, follow } = start(context);
  mkdirSync(at('prod'));
  writeFileSync(at('prod/web'), '10.0.0.1 80\n');
  symlinkSync('loop', at('loop'));
  const prod = follow('/prod/web/more');
  await prod.until('10.0.0.1:80');
  await follow('/prod').until('neg');
  await follow('/loop').until('neg');
  rmSync(at('prod'), { recursive: true });
  await prod.until('neg');
});

test('a file that is written while it is read has no version', async (context) => {
  const { at } = start(context);
  writeFileSync(at('web'), 'x\n');
  const look = await new Promise((done) => DISK.look(at('web')).subscribe(done));
  const read = await new Promise((done) => DISK.read(at('web')).subscribe(done));
  assert.ok(typeof look === 'object' && look !== null && 'version' in look);
  assert.deepEqual(read, { t: 'text', text: 'x\n', version: look.version });
  chmodSync(at('web'), 0o600);
  const after = await new Promise((done) => DISK.look(at('web')).subscribe(done));
  assert.ok(typeof after === 'object' && after !== null && 'version' in after);
  assert.notEqual(after.version, look.version);
});
