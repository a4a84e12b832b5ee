/** Configurations that are only looked at: no certificate is read, no folder is opened, no namer is made. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { build, type Files } from '../config/build.ts';
import type { Config } from '../config/config.ts';
import { filesBeside } from '../config/files.ts';
import { type FileKind, loadFile } from '../config/load.ts';
import { showConfigError } from '../config/report.ts';
import { fileOf, type RawFile } from '../config/schema.ts';

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

/** linkerd-tcp’s own file, whose names come from somewhere else. */
export const UNOPENED: FileKind<RawFile, Config> = {
  codec: fileOf,
  build: (raw, files) => build({ ...raw, namers: [] }, unread(files)),
};

/** Loads the text of a configuration, or what JSON would say the same. Errors: throws all that is wrong, a line each. */
export const loadUnopened = (config: string | object): Config => {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  const loaded = loadFile(text, UNOPENED, filesBeside('-'));
  if (isLeft(loaded))
    throw new Error(loaded.left.map(showConfigError('the configuration')).join('\n'));
  return loaded.right.config;
};
