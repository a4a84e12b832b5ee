/** What the process asks of the platform’s collector is something that the platform knows: it ignores the rest without a word. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { readSources } from './support/sources.ts';

test('the platform knows every flag that is set', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const source = readSources('src').find(({ path }) => path === 'src/collector.ts');
  const flags = [...(source?.text ?? '').matchAll(/FlagsFromString\('--(?:no-)?([\w-]+)'\)/g)];
  assert.equal(flags.length, 2);
  for (const [, flag] of flags) assert.ok(known.includes(`--${flag} (`), `${flag} is known`);
});
