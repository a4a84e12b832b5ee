/** The scenarios of `marbles/scenarios`: what each expects of its configuration holds. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { simulate } from '../src/simulate/command.ts';

const FOLDER = 'marbles/scenarios';
const SCENARIOS = readdirSync(FOLDER)
  .filter((name) => name !== 'proxy.yaml')
  .map((name) => join(FOLDER, name));

for (const file of SCENARIOS)
  test(`what ${file} expects holds`, () => {
    const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
    assert.ok(
      done.t === 'done' && done.isHeld,
      done.t === 'done' ? done.out : done.errors.join('\n'),
    );
  });
