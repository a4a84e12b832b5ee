/** Reads scenarios and the configurations that they are about. No certificate is read, and nothing is opened. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { build, type Files } from '../config/build.ts';
import type { Config } from '../config/config.ts';
import type { FileKind } from '../config/load.ts';
import { type LoadedFile, readFileOf } from '../config/read.ts';
import { fileOf, type RawFile } from '../config/schema.ts';
import { buildScenario, type ReadConfig } from './build.ts';
import type { Scenario } from './scenario.ts';
import { type RawScenario, scenario } from './schema.ts';

const GOOD = right(undefined);

/** Files of a configuration that is only simulated: all are there and good, whatever they are. */
const unread = (files: Files): Files => ({
  ...files,
  read: () => right(''),
  folder: (path) => right(path),
  checkIdentity: () => GOOD,
  checkRoots: () => GOOD,
  checkCrl: () => GOOD,
  checkVersions: () => GOOD,
});

/** Where names come from is the scenario’s business. */
const SIMULATED: FileKind<RawFile, Config> = {
  codec: fileOf,
  build: (raw, files) => build({ ...raw, namers: [] }, unread(files)),
};

const readSimulated: ReadConfig = (path) => {
  const loaded = readFileOf(path, SIMULATED);
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
