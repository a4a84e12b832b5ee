/** The code of README.md: files by their names, and commands with what they print. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeIn } from './plugins.ts';
import { recordShop } from './shop-recording.ts';

/** A fenced block: ```` ```yaml limits.yaml ````. */
export interface CodeBlock {
  /** Empty: none is said. */
  readonly language: string;
  /** The file that it is; absent: it is none. */
  readonly name: string | undefined;
  readonly text: string;
  /** Where its text stands. */
  readonly from: number;
  readonly to: number;
}

const FENCED = /^```(\w*)(?: (\S+))?\n([\s\S]*?)^```$/gm;

/** All fenced blocks, in their order. */
export const codeBlocks = (markdown: string): readonly CodeBlock[] =>
  [...markdown.matchAll(FENCED)].map(
    ({ 0: whole, 1: language = '', 2: name, 3: text = '', index }) => {
      const from = index + whole.indexOf('\n') + 1;
      return { language, name, text, from, to: from + text.length };
    },
  );

/** The configuration that the recording of README.md is of. */
const SHOP = 'shop.yaml';

/** Writes the files that the blocks are into a folder, and the recording that commands read. */
export const writeBlocks = async (folder: string, blocks: readonly CodeBlock[]): Promise<void> => {
  for (const { name, text } of blocks) if (name !== undefined) await writeIn(folder, name, text);
  if (blocks.some(({ name }) => name === SHOP))
    await writeIn(folder, 'shop.ndjson', await recordShop(join(folder, SHOP)));
};

const MAIN = join(import.meta.dirname, '../../src/main.js');

const COMMAND = /^\$ linkerd-tcp (.*)$/m;

/** What a console block should say: its command, and what that prints. Errors: throws where it is no such block. */
export const consoleOf = (folder: string, { text }: CodeBlock): string => {
  const [line, args] = COMMAND.exec(text) ?? [];
  if (line === undefined || args === undefined) throw new Error(`not a command: ${text}`);
  const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
  });
  return `${line}\n${stdout}${stderr}`;
};
