/** The command `simulate`: scenarios in, what became of them out. */
import { readFileSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { isRecord } from '../config/codec.ts';
import { parseSource } from '../config/document.ts';
import { judge } from './judge.ts';
import { readScenario, readSimulated } from './read.ts';
import { type Format, isHeld, report, type Simulated } from './report.ts';
import { runScenario } from './run.ts';

/** What is asked. */
export interface SimulateTask {
  /** Scenarios; the first may be a configuration, which all of them are about then. */
  readonly files: readonly string[];
  /** Wins over that of the scenarios. */
  readonly seed: number | undefined;
  readonly format: Format;
}

/** What became of it. */
export type Simulation =
  | { readonly t: 'done'; readonly out: string; readonly isHeld: boolean }
  /** Files that are not good, a line each. */
  | { readonly t: 'bad'; readonly errors: readonly string[] };

const isConfiguration = (file: string): boolean => {
  try {
    const source = parseSource(readFileSync(file, 'utf8'));
    return !isLeft(source) && isRecord(source.right.value) && 'routers' in source.right.value;
  } catch {
    // Whoever reads it again tells why.
    return false;
  }
};

/** Runs scenarios one after the other. Errors: none but faults of our own. */
export const simulate = ({ files, seed, format }: SimulateTask): Simulation => {
  const [first = '', ...rest] = files;
  const isFirst = isConfiguration(first);
  const config = isFirst ? first : undefined;
  const done: Simulated[] = [];
  const errors: string[] = [];
  if (config !== undefined) {
    const read = readSimulated(config);
    if ('errors' in read) return { t: 'bad', errors: read.errors };
  }
  for (const file of isFirst ? rest : files) {
    if (isConfiguration(file)) {
      errors.push(`${file}: expected a scenario, got a configuration; one may come first`);
      continue;
    }
    const loaded = readScenario(file, config);
    if (isLeft(loaded)) {
      errors.push(...loaded.left);
      continue;
    }
    const scenario = loaded.right.config;
    const used = seed ?? scenario.seed;
    const run = runScenario(scenario, used);
    done.push({ file, scenario, seed: used, run, verdicts: judge(scenario, run) });
  }
  if (isFirst && rest.length === 0)
    errors.push(`${first}: expected a scenario behind the configuration, got none`);
  if (errors.length > 0) return { t: 'bad', errors };
  return { t: 'done', out: report(done, format), isHeld: done.every(isHeld) };
};
