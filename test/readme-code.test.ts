/** Every block of code in README.md that is a file or a command is one that works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { readConfig } from '../src/config/read.ts';
import { codeBlocks, consoleOf, writeBlocks } from './support/code-blocks.ts';
import { makeScope, temporaryFolder } from './support/process.ts';

const BLOCKS = codeBlocks(readFileSync('README.md', 'utf8'));

const CONFIGS = BLOCKS.filter(
  ({ language, text }) => language === 'yaml' && /^routers:/m.test(text),
);
const CONSOLES = BLOCKS.filter(({ language }) => language === 'console');

test('there are such blocks', () => {
  assert.ok(CONFIGS.length >= 5 && CONSOLES.length >= 2);
});

for (const { name = '' } of CONFIGS.filter((block) => block.name !== undefined))
  test(`the configuration ${name} of README.md is valid`, async (t) => {
    const folder = await temporaryFolder(makeScope(t));
    await writeBlocks(folder, BLOCKS);
    const loaded = readConfig(join(folder, name));
    if (isLeft(loaded)) assert.fail(loaded.left.join('\n'));
  });

for (const block of CONSOLES)
  test(`README.md shows what its command prints: ${block.text.split('\n', 1)}`, async (t) => {
    const folder = await temporaryFolder(makeScope(t));
    await writeBlocks(folder, BLOCKS);
    assert.equal(
      block.text,
      consoleOf(folder, block),
      'run: npm run build && node dist/test/docs.js',
    );
  });
