/** The config file itself: read, loaded, and its errors as lines. */
import { readFileSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Config } from './config.ts';
import { filesBeside, readReason } from './files.ts';
import { type FileKind, type Loaded, loadFile, ROUTERS } from './load.ts';
import { showConfigError } from './report.ts';

/** A loaded file, with its warnings as lines. */
export interface LoadedFile<C = Config> extends Loaded<C> {
  readonly warningLines: readonly string[];
  /** The files of certificates and keys that it names, absolute. */
  readonly paths: readonly string[];
  /** The same text, with these files as they are now. */
  readonly again: () => Either<readonly string[], LoadedFile<C>>;
}

const STDIN = 0;

const nameOf = (file: string): string => (file === '-' ? '<stdin>' : file);

/** Reads and loads a file of a kind, `-` for standard input. Errors: all of them, a line each. */
export const readFileOf = <R, C>(
  file: string,
  kind: FileKind<R, C>,
): Either<readonly string[], LoadedFile<C>> => {
  let text: string;
  try {
    text = readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    return left([`cannot read ${nameOf(file)}: ${readReason(error)}`]);
  }
  return load(file, text, kind);
};

/** Reads and loads what linkerd-tcp itself runs on. */
export const readConfig = (file: string): Either<readonly string[], LoadedFile> =>
  readFileOf(file, ROUTERS);

const load = <R, C>(
  file: string,
  text: string,
  kind: FileKind<R, C>,
): Either<readonly string[], LoadedFile<C>> => {
  const show = showConfigError(nameOf(file));
  const files = filesBeside(file);
  const loaded = loadFile(text, kind, files);
  if (isLeft(loaded)) return left(loaded.left.map(show));
  return right({
    ...loaded.right,
    warningLines: loaded.right.warnings.map(show),
    paths: [...files.paths],
    again: () => load(file, text, kind),
  });
};
