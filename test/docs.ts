/** Rewrites the generated parts of README.md; run it as `node dist/test/docs.js` after a build. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeBlocks, consoleOf, writeBlocks } from './support/code-blocks.ts';
import { README_BLOCKS, withBlock } from './support/markdown.ts';

const written = Object.entries(README_BLOCKS).reduce(
  (text, [name, generate]) => withBlock(text, name, generate()),
  readFileSync('README.md', 'utf8'),
);
const folder = mkdtempSync(join(tmpdir(), 'linkerd-tcp-docs-'));
const blocks = codeBlocks(written);
await writeBlocks(folder, blocks);
// From the last one on: what stands before a block stays where it is.
const shown = blocks
  .filter(({ language }) => language === 'console')
  .reduceRight(
    (text, block) => text.slice(0, block.from) + consoleOf(folder, block) + text.slice(block.to),
    written,
  );
rmSync(folder, { recursive: true });
writeFileSync('README.md', shown);
