/**
 * Runs the tests: all, only the real servers' (`real`), only the marbles, or those whose path contains a word.
 * The list comes from the sources, so a stale compiled file never runs and a source that was not compiled fails.
 */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const SOURCES = process.cwd();
const COMPILED = join(import.meta.dirname, '..');
const FILE_LIMIT_MS = 180_000;

interface Selection {
  readonly suffix: '.test.ts' | '.real.ts';
  readonly words: readonly string[];
  readonly concurrency: number;
}

interface Outcome {
  /** Closing lines of the runner, such as `pass 12`. */
  readonly closing: string[];
  /** How long each file took, in ms, by its compiled path. */
  readonly times: Map<string, number>;
  /** Files without a single test. */
  readonly empty: Set<string>;
}

const select = (args: readonly string[]): Selection => {
  const [mode, ...words] = args;
  if (mode === 'real') return { suffix: '.real.ts', words, concurrency: 1 };
  const concurrency = Math.max(2, availableParallelism());
  if (mode === 'marbles') return { suffix: '.test.ts', words: ['marbles/', ...words], concurrency };
  return { suffix: '.test.ts', words: args, concurrency };
};

const sources = ({ suffix, words }: Selection): readonly string[] =>
  ['marbles', 'test']
    .filter((folder) => existsSync(join(SOURCES, folder)))
    .flatMap((folder) =>
      readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((name) => name.endsWith(suffix))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort();

const compiled = (source: string): string => join(COMPILED, source.replace(/\.ts$/, '.js'));

type TestEvents = ReturnType<typeof run>;

/** Passes events on to the reporter, and keeps what the summary needs; its closing lines come later. */
async function* observed(events: TestEvents, outcome: Outcome) {
  for await (const event of events) {
    const { type, data } = event;
    if (type === 'test:diagnostic' && data.file === undefined) {
      outcome.closing.push(data.message);
      continue;
    }
    if (type === 'test:complete' && data.name === data.file)
      outcome.times.set(data.name, data.details.duration_ms);
    if (type === 'test:pass' && data.name === data.file) outcome.empty.add(data.name);
    yield event;
  }
}

const show = (path: string): string => relative(COMPILED, path).replace(/\.js$/, '.ts');

const complaints = (files: readonly string[], { times, empty }: Outcome): readonly string[] => [
  ...files.filter((file) => !times.has(file)).map((file) => `did not run: ${show(file)}`),
  ...[...empty].map((file) => `has no test: ${show(file)}`),
  ...(files.length === 0 ? ['no test file matches'] : []),
];

const main = async (args: readonly string[]): Promise<number> => {
  const selection = select(args);
  const files = sources(selection).map(compiled);
  const outcome: Outcome = { closing: [], times: new Map(), empty: new Set() };
  const events = run({
    files: files.filter((file) => existsSync(file)),
    concurrency: selection.concurrency,
    timeout: FILE_LIMIT_MS,
  });
  await pipeline(observed(events, outcome), new spec(), process.stdout, { end: false });

  const lines = [...outcome.times]
    .sort(([, a], [, b]) => b - a)
    .map(([file, ms]) => `# ${(ms / 1000).toFixed(2).padStart(7)} s  ${show(file)}`);
  const wrong = complaints(files, outcome).map((complaint) => `# FAILED: ${complaint}`);
  const closing = outcome.closing.map((line) => `# ${line}`);
  process.stdout.write(
    `${[...lines, `# files ${outcome.times.size} of ${files.length}`, ...wrong, ...closing].join('\n')}\n`,
  );
  const clean = /^# (?:fail|cancelled) 0$/;
  const counts = closing.filter((line) => /^# (?:fail|cancelled) /.test(line));
  return wrong.length === 0 && counts.length === 2 && counts.every((line) => clean.test(line))
    ? 0
    : 1;
};

process.exitCode = await main(process.argv.slice(2));
