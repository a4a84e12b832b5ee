/** Every block of code in README.md is one that works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import { NAMERD } from '../src/config/load.ts';
import { readConfig, readFileOf } from '../src/config/read.ts';
import { parseDtab } from '../src/dtab/parse.ts';
import { simulate } from '../src/simulate/command.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import { type CodeBlock, codeBlocks, consoleOf, writeBlocks } from './support/code-blocks.ts';
import { makeScope, runCommand, type Scope, temporaryFolder } from './support/process.ts';

const BLOCKS = codeBlocks(readFileSync('README.md', 'utf8'));

const CONSOLES = BLOCKS.filter(({ language }) => language === 'console');

/** What a file is, by what stands in it. */
const isFile =
  (key: string) =>
  ({ language, text }: CodeBlock): boolean =>
    language === 'yaml' && new RegExp(`^${key}:`, 'm').test(text);

/** How each block is run, here or elsewhere. */
const RUN: Readonly<Record<string, (block: CodeBlock) => boolean>> = {
  'a configuration': isFile('routers'),
  'a scenario': isFile('arrivals'),
  'a configuration of namerd': isFile('interfaces'),
  'servers of a configuration': isFile('servers'),
  'a plugin, which a configuration names': ({ language, name }) =>
    language === 'js' &&
    BLOCKS.some((other) => isFile('plugins')(other) && other.text.includes(`./${name}`)),
  'a program, in test/consumer.test.ts': ({ language }) => language === 'ts',
  'a command and what it prints': ({ language }) => language === 'console',
  'rules of a dtab': ({ language, text }) => language === '' && text.includes(' => '),
  'commands, as --help has them': ({ text }) => text.startsWith('linkerd-tcp CONFIG'),
  'a line of an error, in test/config.test.ts': ({ text }) => text.startsWith('config.yaml:12'),
  'sentences, in test/readme.test.ts': ({ text }) => text.startsWith('success >='),
  'commands of a shell that ask a running daemon': ({ language }) => language === 'sh',
};

const ofKind = (kind: string): readonly CodeBlock[] => BLOCKS.filter(RUN[kind] ?? (() => false));

test('no block of README.md is left out, and none is a file without a name', () => {
  for (const block of BLOCKS) {
    const kinds = Object.entries(RUN).filter(([, is]) => is(block));
    assert.equal(kinds.length, 1, `${kinds.map(([kind]) => kind)}: ${block.text}`);
    assert.equal(block.name !== undefined, ['yaml', 'js', 'ts'].includes(block.language));
  }
  for (const kind of Object.keys(RUN)) assert.ok(ofKind(kind).length > 0, kind);
});

/** A folder with all files of README.md, and the folder that namers look into. */
const written = async (scope: Scope): Promise<string> => {
  const folder = await temporaryFolder(scope);
  await mkdir(join(folder, 'disco'));
  await writeBlocks(folder, BLOCKS);
  return folder;
};

const isGood = (loaded: Either<readonly string[], unknown>): void => {
  if (isLeft(loaded)) assert.fail(loaded.left.join('\n'));
};

for (const { name = '' } of ofKind('a configuration'))
  test(`the configuration ${name} of README.md is valid`, async (t) => {
    isGood(readConfig(join(await written(makeScope(t)), name)));
  });

for (const { name = '' } of ofKind('a configuration of namerd'))
  test(`the configuration ${name} of README.md is valid`, async (t) => {
    isGood(readFileOf(join(await written(makeScope(t)), name), NAMERD));
  });

for (const { name, text } of ofKind('servers of a configuration'))
  test(`the servers ${name} of README.md are valid`, () => {
    const servers = text.replaceAll(/^/gm, '  ');
    const { routers } = loadUnopened(`routers:\n- label: r\n  dtab: ""\n${servers}`);
    assert.equal(routers[0]?.servers.length, 3);
  });

for (const { text } of ofKind('rules of a dtab'))
  test('the dtab of README.md is one', () => {
    const dtab = parseDtab(text);
    assert.ok(isRight(dtab) && dtab.right.length === 5);
  });

test('README.md names the commands that --help names', async () => {
  const { stdout } = await runCommand(['node', 'dist/src/main.js', '--help']);
  for (const { text } of ofKind('commands, as --help has them'))
    for (const [, command = ''] of text.matchAll(/^linkerd-tcp ([a-z]+|--check|-h|-V)\b/gm))
      assert.match(stdout, new RegExp(`^ .*${command}\\b|^Usage: .*${command}`, 'm'), command);
});

for (const { name = '' } of ofKind('a scenario'))
  test(`the scenario ${name} of README.md runs`, async (t) => {
    const folder = await written(makeScope(t));
    const done = simulate({ files: [join(folder, name)], seed: undefined, format: 'json' });
    if (done.t === 'bad') assert.fail(done.errors.join('\n'));
    assert.ok(CONSOLES.some(({ text }) => text.includes(`simulate ${name}\n`)));
  });

for (const block of CONSOLES)
  test(`README.md shows what its command prints: ${block.text.split('\n', 1)}`, async (t) => {
    const folder = await written(makeScope(t));
    assert.equal(
      block.text,
      consoleOf(folder, block),
      'run: npm run build && node dist/test/docs.js',
    );
  });
