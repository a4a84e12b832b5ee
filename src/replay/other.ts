/** Another configuration, tried on a recording. A recording is data: no module that it names is ever loaded. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Config } from '../config/config.ts';
import { filesBeside } from '../config/files.ts';
import { loadFile, modulesOf } from '../config/load.ts';
import { DEFAULT_POLICY } from '../config/policy.ts';
import type { LoadedFile } from '../config/read.ts';
import { showConfigError } from '../config/report.ts';
import type { Env } from '../env.ts';
import { makeLoadBalancer } from '../plugins/make.ts';
import type { Head } from '../recorder/lines.ts';
import { UNOPENED } from '../testing/unopened.ts';
import { shareConfig } from '../workers/shares.ts';
import { compare } from './compare.ts';
import { comparisonLines } from './report.ts';
import { rerun } from './rerun.ts';
import type { Balancers } from './verify.ts';
import type { RecordedWorld } from './world.ts';

/** The configuration that is tried, and where it was read. */
export interface Other {
  readonly file: string;
  readonly loaded: LoadedFile;
}

const HASHED =
  'addresses of clients are hashed: it was replayed from the balancers on, and no rule, no source list and no operator was tried';

/** The load balancers of the plugins that a configuration names, used or not. */
export const balancersOf = ({ file, loaded }: Other, env: Env): Balancers => {
  const known = filesBeside(file).plugins(modulesOf(loaded.raw)).kinds.loadBalancers;
  return {
    has: (kind) => known.has(kind),
    make: ({ module: _, ...config }) => {
      const module = known.get(config.by)?.module;
      return makeLoadBalancer(module === undefined ? config : { ...config, module }, env);
    },
  };
};

const IN_RECORDING = 'the configuration in the recording';

/** The configuration that was in force; its plugins are those of the other one. */
const former = ({ config }: Head, { file, loaded }: Other): Either<readonly string[], Config> => {
  const trusted = modulesOf(loaded.raw);
  const strange = modulesOf(config).filter((module) => !trusted.includes(module));
  if (strange.length > 0)
    return left([
      `${IN_RECORDING} has the plugin ${strange[0]}, which ${file} does not name; what a recording names is not loaded`,
    ]);
  const found = loadFile(JSON.stringify(config), UNOPENED, filesBeside(file));
  return isLeft(found)
    ? left(found.left.map(showConfigError(IN_RECORDING)))
    : right(found.right.config);
};

/** A recorder keeps a day at most. */
const MOST_MS = 2 * 24 * 3_600_000;

/** `auto` is as many as there are recordings. */
const shareOf = (config: Config, { core }: RecordedWorld, cores: number): Config => {
  const workers = config.workers === 'auto' ? cores : config.workers;
  return workers === 0
    ? config
    : shareConfig(config, DEFAULT_POLICY, { slot: core % workers, workers });
};

/** Tells what would have changed, process by process. `Left`: why that cannot be told. */
export const tryOther = (
  head: Head,
  worlds: readonly RecordedWorld[],
  other: Other,
): Either<readonly string[], readonly string[]> => {
  const old = former(head, other);
  if (isLeft(old)) return old;
  const long = worlds.find(({ durationMs }) => durationMs > MOST_MS);
  if (long !== undefined)
    return left([`expected a recording of two days at most, got one of ${long.durationMs} ms`]);
  const { file, loaded } = other;
  const options = { isFromBalancer: head.isHashed };
  const lines = worlds.flatMap((world) => {
    const before = rerun(world, shareOf(old.right, world, worlds.length), options);
    const after = rerun(world, shareOf(loaded.config, world, worlds.length), options);
    const title = worlds.length === 1 ? [] : [`worker ${world.core}:`];
    return [...title, ...comparisonLines(compare(world.visitors, before, after))];
  });
  return right(['', `with ${file}:`, ...lines, ...(head.isHashed ? [HASHED] : [])]);
};
