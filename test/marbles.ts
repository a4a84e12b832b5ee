/** Runs all marble specs and scenarios in this process, which is quick: `npm run test:marbles`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../marbles');

for (const name of readdirSync(FOLDER).sort())
  if (name.endsWith('.test.js')) await import(join(FOLDER, name));
