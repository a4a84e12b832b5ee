/** The test runner: it must notice what it did not run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const PASSES = "import { test } from 'node:test'; test('passes', () => {});";
const FAILS = "import { test } from 'node:test'; test('fails', () => { throw new Error('no'); });";

interface Tree {
  /** Source paths; their content does not matter. */
  readonly sources: readonly string[];
  /** Compiled files by their path below `dist`. */
  readonly compiled: Readonly<Record<string, string>>;
}

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};

const runIn = async ({ sources, compiled }: Tree, ...args: string[]) => {
  const root = await mkdtemp(join(tmpdir(), 'runner-'));
  try {
    await write(join(root, 'package.json'), '{"type":"module"}');
    for (const path of sources) await write(join(root, path), '');
    for (const [path, text] of Object.entries(compiled))
      await write(join(root, 'dist', path), text);
    await mkdir(join(root, 'dist/test'), { recursive: true });
    await copyFile(join(import.meta.dirname, 'run.js'), join(root, 'dist/test/run.js'));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    return await new Promise<{ code: number; lines: readonly string[] }>((resolve) => {
      const child = execFile(
        process.execPath,
        ['dist/test/run.js', ...args],
        { cwd: root, env },
        (_error, stdout) => resolve({ code: child.exitCode ?? -1, lines: stdout.split('\n') }),
      );
    });
  } finally {
    await rm(root, { recursive: true });
  }
};

test('runs every source that has a compiled file, and ends with the usual lines', async () => {
  const { code, lines } = await runIn({
    sources: ['test/a.test.ts', 'marbles/deep/b.test.ts', 'test/c.real.ts'],
    compiled: { 'test/a.test.js': PASSES, 'marbles/deep/b.test.js': PASSES },
  });
  assert.equal(code, 0, lines.join('\n'));
  for (const line of ['# files 2 of 2', '# tests 2', '# pass 2', '# fail 0'])
    assert.ok(lines.includes(line), line);
});

test('fails when a test fails', async () => {
  const { code, lines } = await runIn({
    sources: ['test/a.test.ts'],
    compiled: { 'test/a.test.js': FAILS },
  });
  assert.equal(code, 1);
  assert.ok(lines.includes('# fail 1'));
});

test('fails when a source was not compiled, and when a file holds no test', async () => {
  const { code, lines } = await runIn({
    sources: ['test/a.test.ts', 'test/b.test.ts'],
    compiled: { 'test/a.test.js': '' },
  });
  assert.equal(code, 1);
  assert.ok(lines.includes('# FAILED: did not run: test/b.test.ts'));
  assert.ok(lines.includes('# FAILED: has no test: test/a.test.ts'));
});

test('fails when nothing matches', async () => {
  const { code } = await runIn({ sources: ['test/a.test.ts'], compiled: {} }, 'nonsense');
  assert.equal(code, 1);
});

test('ignores a stale compiled file', async () => {
  const { code, lines } = await runIn({
    sources: ['test/a.test.ts'],
    compiled: { 'test/a.test.js': PASSES, 'test/gone.test.js': FAILS },
  });
  assert.equal(code, 0, lines.join('\n'));
  assert.ok(lines.includes('# files 1 of 1'));
});

test('selects by mode and by name', async () => {
  const tree = {
    sources: ['test/a.test.ts', 'marbles/b.test.ts', 'test/real/c.real.ts'],
    compiled: {
      'test/a.test.js': FAILS,
      'marbles/b.test.js': PASSES,
      'test/real/c.real.js': PASSES,
    },
  };
  for (const word of ['marbles', 'real', 'b.test']) {
    const { code, lines } = await runIn(tree, word);
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(lines.includes('# files 1 of 1'));
  }
});
