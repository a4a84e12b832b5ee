/** Reads scenarios and the configurations that they are about. No certificate is read, and nothing is opened. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { FileKind } from '../config/load.ts';
import { type LoadedFile, readFileOf } from '../config/read.ts';
import { UNOPENED } from '../testing/unopened.ts';
import { buildScenario, type ReadConfig } from './build.ts';
import type { Scenario } from './scenario.ts';
import { type RawScenario, scenario } from './schema.ts';

/** Reads a configuration that is only simulated. */
export const readSimulated: ReadConfig = (path) => {
  const loaded = readFileOf(path, UNOPENED);
  return isLeft(loaded) ? { errors: loaded.left } : { config: loaded.right.config };
};

/** Reads a scenario. `config` wins over the one that it names. Errors: all of them, a line each. */
export const readScenario = (
  file: string,
  config?: string,
): Either<readonly string[], LoadedFile<Scenario>> => {
  const kind: FileKind<RawScenario, Scenario> = {
    codec: () => scenario,
    build: buildScenario(config, readSimulated),
  };
  return readFileOf(file, kind);
};
