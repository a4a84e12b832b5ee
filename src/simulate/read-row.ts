/** Rows in the file of a scenario. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Workshop } from '../config/build.ts';
import type { Steps } from '../config/document.ts';
import { type Mark, parseRow } from './row.ts';

/** Notes what is wrong with a row, at its character; the marks are good otherwise. */
export const readRow = (shop: Workshop, text: string, steps: Steps): readonly Mark[] => {
  const row = parseRow(text);
  if (!isLeft(row)) return row.right;
  const { message, column } = row.left;
  shop.errors.push({ steps, message, at: { line: 1, col: column } });
  return [];
};
