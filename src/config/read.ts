/** The config file itself: read, loaded, and its errors as lines. */
import { readFileSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { filesBeside, readReason } from './files.ts';
import { type Loaded, loadConfig } from './load.ts';
import { showConfigError } from './report.ts';

/** A loaded file, with its warnings as lines. */
export interface LoadedFile extends Loaded {
  readonly warningLines: readonly string[];
}

const STDIN = 0;

/** Reads and loads a config file, `-` for standard input. Errors: all of them, a line each. */
export const readConfig = (file: string): Either<readonly string[], LoadedFile> => {
  const name = file === '-' ? '<stdin>' : file;
  let text: string;
  try {
    text = readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    return left([`cannot read ${name}: ${readReason(error)}`]);
  }
  const show = showConfigError(name);
  const loaded = loadConfig(text, filesBeside(file));
  if (isLeft(loaded)) return left(loaded.left.map(show));
  return right({ ...loaded.right, warningLines: loaded.right.warnings.map(show) });
};
