/** Rewrites the generated blocks of README.md; run it as `node dist/test/docs.js` after a build. */
import { readFileSync, writeFileSync } from 'node:fs';
import { README_BLOCKS, withBlock } from './support/markdown.ts';

const written = Object.entries(README_BLOCKS).reduce(
  (text, [name, generate]) => withBlock(text, name, generate()),
  readFileSync('README.md', 'utf8'),
);
writeFileSync('README.md', written);
