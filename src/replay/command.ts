/** The command `replay`: a recording in, what came of it out. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { readFileOf } from '../config/read.ts';
import type { Env } from '../env.ts';
import type { Line } from '../recorder/lines.ts';
import { UNOPENED } from '../testing/unopened.ts';
import { readRecording } from './file.ts';
import { balancersOf, type Other, tryOther } from './other.ts';
import { verdictLines } from './report.ts';
import { type Verdict, Verifier } from './verify.ts';
import { Worlds } from './world.ts';

/** What is asked. */
export interface ReplayTask {
  /** `-`: standard input. */
  readonly file: string;
  /** Another configuration to try. */
  readonly config: string | undefined;
}

/** What became of it. */
export type Replayed =
  | { readonly t: 'done'; readonly out: string; readonly isReproduced: boolean }
  /** Files that are not good, a line each. */
  | { readonly t: 'bad'; readonly errors: readonly string[] };

const isReproduced = ({ differing, events }: Verdict): boolean => differing === 0 && events > 0;

/** Replays a recording, and if there is another configuration, that on it. */
const replayWith = async (file: string, other: Other | undefined, env: Env): Promise<Replayed> => {
  const verifier = new Verifier(other && balancersOf(other, env));
  const worlds = new Worlds();
  const take = (line: Line): void => {
    verifier.take(line);
    if (other !== undefined) worlds.take(line);
  };
  const recording = await readRecording(file, take);
  if (isLeft(recording)) return { t: 'bad', errors: [recording.left] };
  const { head, notes } = recording.right;
  const verdict = verifier.verdict();
  const tried = other === undefined ? right([]) : tryOther(head, worlds.worlds(), other);
  if (isLeft(tried)) return { t: 'bad', errors: tried.left };
  const lines = [...verdictLines(verdict), ...notes.map((note) => `note: ${note}`), ...tried.right];
  return { t: 'done', out: `${lines.join('\n')}\n`, isReproduced: isReproduced(verdict) };
};

/** Replays a recording. Errors: none but faults of our own. */
export const replay = async ({ file, config }: ReplayTask, env: Env): Promise<Replayed> => {
  if (config === undefined) return replayWith(file, undefined, env);
  const loaded = readFileOf(config, UNOPENED);
  if (isLeft(loaded)) return { t: 'bad', errors: loaded.left };
  return replayWith(file, { file: config, loaded: loaded.right }, env);
};
