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

/** The load balancers of the plugins of a configuration. */
export const balancersOf = ({ routers }: Config, env: Env): Balancers => {
  const known = new Map(
    routers
      .flatMap(({ client }) => client.map(({ settings }) => settings.loadBalancer))
      .flatMap((one) => (one?.kind === 'custom' ? [[one.by, one] as const] : [])),
  );
  return {
    has: (kind) => known.has(kind),
    make: ({ options, ...config }) =>
      makeLoadBalancer({ ...config, ...known.get(config.by), options }, env),
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

const shareFor =
  (slot: number, workers: number) =>
  (config: Config): Config =>
    workers === 1 ? config : shareConfig(config, DEFAULT_POLICY, { slot, workers });

/** Tells what would have changed, process by process. `Left`: why the former configuration cannot be run. */
export const tryOther = (
  head: Head,
  worlds: readonly RecordedWorld[],
  other: Other,
): Either<readonly string[], readonly string[]> => {
  const old = former(head, other);
  if (isLeft(old)) return old;
  const { file, loaded } = other;
  const options = { isFromBalancer: head.isHashed };
  const lines = worlds.flatMap((world, slot) => {
    const share = shareFor(slot, worlds.length);
    const before = rerun(world, share(old.right), options);
    const after = rerun(world, share(loaded.config), options);
    const known = new Set([...world.names.keys()].map((key) => key.slice(key.indexOf(' ') + 1)));
    const comparison = compare(world.visitors, before, after, (name) => known.has(name));
    const title = worlds.length === 1 ? [] : [`worker ${world.core}:`];
    return [...title, ...comparisonLines(comparison)];
  });
  return right(['', `with ${file}:`, ...lines, ...(head.isHashed ? [HASHED] : [])]);
};
