/** The config file itself: read, loaded, and its errors as lines. */
import { readFileSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { filesBeside, readReason } from './files.ts';
import { type Loaded, loadConfig } from './load.ts';
import { showConfigError } from './report.ts';

/** A loaded file, with its warnings as lines. */
export interface LoadedFile extends Loaded {
  readonly warningLines: readonly string[];
  /** The files of certificates and keys that it names, absolute. */
  readonly paths: readonly string[];
  /** The same text, with these files as they are now. */
  readonly again: () => Either<readonly string[], LoadedFile>;
}

const STDIN = 0;

const nameOf = (file: string): string => (file === '-' ? '<stdin>' : file);

/** Reads and loads a config file, `-` for standard input. Errors: all of them, a line each. */
export const readConfig = (file: string): Either<readonly string[], LoadedFile> => {
  let text: string;
  try {
    text = readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    return left([`cannot read ${nameOf(file)}: ${readReason(error)}`]);
  }
  return load(file, text);
};

const load = (file: string, text: string): Either<readonly string[], LoadedFile> => {
  const show = showConfigError(nameOf(file));
  const files = filesBeside(file);
  const loaded = loadConfig(text, files);
  if (isLeft(loaded)) return left(loaded.left.map(show));
  return right({
    ...loaded.right,
    warningLines: loaded.right.warnings.map(show),
    paths: [...files.paths],
    again: () => load(file, text),
  });
};
