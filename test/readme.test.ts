/** README.md against the code: its generated blocks are those that the code would write. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blockOf, README_BLOCKS, withBlock } from './support/markdown.ts';

const REWRITE = 'npm run build && node dist/test/docs.js';

for (const [name, generate] of Object.entries(README_BLOCKS)) {
  test(`README.md holds the generated block ${name}, up to date`, () => {
    const block = blockOf(readFileSync('README.md', 'utf8'), name);
    assert.ok(block !== undefined, `README.md lacks <!-- ${name} --> … <!-- /${name} -->`);
    assert.equal(block, generate(), `out of date; run: ${REWRITE}`);
  });
}

test('a block is replaced and nothing around it', () => {
  const text = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n';
  assert.equal(withBlock(text, 'x', 'new $1'), 'a\n<!-- x -->\nnew $1\n<!-- /x -->\nb\n');
  assert.equal(withBlock('<!-- x -->\n<!-- /x -->', 'x', 'new'), '<!-- x -->\nnew\n<!-- /x -->');
  assert.throws(() => withBlock(text, 'y', 'new'), /no block <!-- y -->/);
});
