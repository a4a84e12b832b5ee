/** Dtabs in files whose writer is killed at random moments: each namespace stays whole. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { FileStore } from '../src/namerd/file-store.ts';
import { within } from './support/eventually.ts';
import { makeScope, temporaryFolder, tether } from './support/process.ts';
import { makeEnv } from './support/store.ts';
import { numberOf } from './support/store-dtabs.ts';

const KILLS = 50;
const WRITER = join(import.meta.dirname, 'support', 'store-writer.js');

/** Lets a process write until it is killed; what it said was stored last, by namespace. */
const killed = async (folder: string, first: number): Promise<ReadonlyMap<string, number>> => {
  const child = tether(
    spawn(process.execPath, [WRITER, folder, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await within('a dtab is stored', once(child.stdout, 'data'));
  await pause(Math.random() * 30);
  assert.equal(child.exitCode, null);
  child.kill('SIGKILL');
  await within('the end of the writer', once(child, 'close'));
  const lines = output.split('\n').slice(0, -1);
  return new Map(
    lines.map((line): [string, number] => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
  );
};

test(`each namespace is whole after each of ${KILLS} kills, and what was told to be stored is`, async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  let drafts = 0;
  let first = 0;
  for (let i = 0; i < KILLS; i += 1) {
    const told = await killed(folder, first);
    drafts += (await readdir(folder)).filter((file) => file.startsWith('.')).length;
    const logged: string[] = [];
    const store = new FileStore(folder, makeEnv(logged));
    const names = await within('a list', firstValueFrom(store.list$));
    for (const name of told.keys()) assert.ok(names.has(name));
    for (const name of names) {
      const stored = await within('a dtab', firstValueFrom(store.watch(name)));
      assert.ok(stored !== undefined);
      const n = numberOf(stored.dtab);
      const least = told.get(name) ?? 0;
      assert.ok(n === least || n === least + 1 || !told.has(name), `${name}: ${n}, told ${least}`);
      first = Math.max(first, n + 1);
    }
    assert.deepEqual(logged, []);
    const left = (await readdir(folder)).filter((file) => !file.endsWith('.dtab'));
    assert.deepEqual(left, []);
  }
  t.diagnostic(`drafts that were left behind: ${drafts}`);
});
