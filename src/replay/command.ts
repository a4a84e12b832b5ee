/** The command `replay`: a recording in, what came of it out. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Config } from '../config/config.ts';
import { readReason } from '../config/files.ts';
import { DEFAULT_POLICY } from '../config/policy.ts';
import { readFileOf } from '../config/read.ts';
import type { Head, Line } from '../recorder/lines.ts';
import { loadUnopened, UNOPENED } from '../testing/unopened.ts';
import { shareConfig } from '../workers/shares.ts';
import { compare } from './compare.ts';
import { readLine } from './lines.ts';
import { comparisonLines, verdictLines } from './report.ts';
import { rerun } from './rerun.ts';
import { Verifier } from './verify.ts';
import { type RecordedWorld, Worlds } from './world.ts';

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

/** What was read of a file. */
interface Recording {
  readonly head: Head;
  /** What is to be said of what is missing. */
  readonly notes: readonly string[];
}

/** Follows one file to where it stops being whole. */
const read = async (
  file: string,
  take: (line: Line) => void,
): Promise<Either<string, Recording>> => {
  const name = file === '-' ? '<stdin>' : file;
  const input = file === '-' ? process.stdin : createReadStream(file);
  const notes: string[] = [];
  let head: Head | undefined;
  let lines = 0;
  let isWhole = false;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const found = readLine(text, head === undefined);
    if (found.t === 'bad') {
      if (head === undefined) return left(`${name}:1: ${found.error}`);
      notes.push(`${name}:${lines + 1}: ${found.error}; what stands before it was replayed`);
      break;
    }
    lines += 1;
    if (found.t === 'head') head = found.head;
    else if (found.line.t === 'end') isWhole = found.line.lines === lines - 1;
    else if (found.line.t === 'cut')
      notes.push(`worker ${found.line.core} ended while it was telling: the rest of it is missing`);
    else take(found.line);
  }
  if (head === undefined) return left(`${name}: expected a recording, got an empty file`);
  if (!isWhole && notes.length === 0)
    notes.push(`${name}: it was cut after line ${lines}; what is whole was replayed`);
  return right({ head, notes });
};

const oldConfig = ({ config }: Head): Either<readonly string[], Config> => {
  try {
    return right(loadUnopened(JSON.stringify(config)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return left([`the configuration in the recording cannot be run here: ${why}`]);
  }
};

const HASHED =
  'addresses of clients are hashed: it was replayed from the balancers on, and no rule, no source list and no operator was tried';

const tryOther = (
  head: Head,
  worlds: readonly RecordedWorld[],
  file: string,
): Either<readonly string[], readonly string[]> => {
  const old = oldConfig(head);
  if (isLeft(old)) return old;
  const loaded = readFileOf(file, UNOPENED);
  if (isLeft(loaded)) return loaded;
  const options = { isFromBalancer: head.isHashed };
  const lines = worlds.flatMap((world, slot) => {
    const share = (config: Config): Config =>
      worlds.length === 1
        ? config
        : shareConfig(config, DEFAULT_POLICY, { slot, workers: worlds.length });
    const before = rerun(world, share(old.right), options);
    const after = rerun(world, share(loaded.right.config), options);
    const known = new Set([...world.names.keys()].map((key) => key.slice(key.indexOf(' ') + 1)));
    const comparison = compare(world.visitors, before, after, (name) => known.has(name));
    const title = worlds.length === 1 ? [] : [`worker ${world.core}:`];
    return [...title, ...comparisonLines(comparison)];
  });
  return right(['', `with ${file}:`, ...lines, ...(head.isHashed ? [HASHED] : [])]);
};

/** Replays a recording. Errors: none but faults of our own. */
export const replay = async ({ file, config }: ReplayTask): Promise<Replayed> => {
  const verifier = new Verifier();
  const worlds = new Worlds();
  const take = (line: Line): void => {
    verifier.take(line);
    if (config !== undefined) worlds.take(line);
  };
  let recording: Either<string, Recording>;
  try {
    recording = await read(file, take);
  } catch (error) {
    return { t: 'bad', errors: [`cannot read ${file}: ${readReason(error)}`] };
  }
  if (isLeft(recording)) return { t: 'bad', errors: [recording.left] };
  const { head, notes } = recording.right;
  const verdict = verifier.verdict();
  const other = config === undefined ? right([]) : tryOther(head, worlds.worlds(), config);
  if (isLeft(other)) return { t: 'bad', errors: other.left };
  const lines = [...verdictLines(verdict), ...notes.map((note) => `note: ${note}`), ...other.right];
  return { t: 'done', out: `${lines.join('\n')}\n`, isReproduced: verdict.differing === 0 };
};
