/** What daemons have recorded by the end of their tests, replayed: each decision must come out again. */
import assert from 'node:assert/strict';
import { readLine } from '../../src/replay/lines.ts';
import { type Verdict, Verifier } from '../../src/replay/verify.ts';
import { ask } from './http.ts';

/** Replays the lines of a recording that is whole. */
export const replayed = (texts: Iterable<string>): Verdict => {
  const verifier = new Verifier();
  for (const text of texts) {
    const read = readLine(text, text.startsWith('{"t":"recording"'));
    if (read.t === 'bad') assert.fail(read.error);
    if (read.t === 'line') verifier.take(read.line);
  }
  return verifier.verdict();
};

/** Replays what a daemon has recorded; one that has ended, or records nothing, has nothing to say. */
export const assertReplays = async (admin: string): Promise<void> => {
  const told = await ask(`${admin}/recorder/dump`, { method: 'POST' }).catch(() => undefined);
  if (told?.status !== 200) return;
  const { differences } = replayed(told.body.trimEnd().split('\n'));
  assert.deepEqual(differences, []);
};
