/** What daemons have recorded by the end of their tests, replayed: each decision must come out again. */
import assert from 'node:assert/strict';
import { asyncScheduler } from 'rxjs';
import type { Env } from '../../src/env.ts';
import { makeLoadBalancer } from '../../src/plugins/make.ts';
import { readLine } from '../../src/replay/lines.ts';
import { type Balancers, type Verdict, Verifier } from '../../src/replay/verify.ts';
import { ask } from './http.ts';

const ENV: Env = {
  scheduler: asyncScheduler,
  wallNow: Date.now,
  random: Math.random,
  log: (_, message) => assert.fail(message),
};

/** Load balancers of the plugins that tests write. */
const PLUGINS: Balancers = { has: () => true, make: (config) => makeLoadBalancer(config, ENV) };

/** Replays the lines of a recording that is whole. */
export const replayed = (texts: Iterable<string>, balancers = PLUGINS): Verdict => {
  const verifier = new Verifier(balancers);
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
