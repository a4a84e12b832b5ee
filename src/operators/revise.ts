/** What an operator may change of an envelope. Pure. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Envelope } from '../envelope.ts';
import { type Path, parsePath } from '../path.ts';

const MOST_NOTES = 16;
const LONGEST_NOTE = 256;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The id of what an operator gave; `undefined`: it is neither an envelope nor a refusal. */
export const idOf = (given: unknown): number | undefined =>
  isRecord(given) && typeof given['id'] === 'number' ? given['id'] : undefined;

const isNotes = (notes: unknown): notes is Readonly<Record<string, string>> =>
  isRecord(notes) &&
  Object.keys(notes).length <= MOST_NOTES &&
  Object.values(notes).every((note) => typeof note === 'string' && note.length <= LONGEST_NOTE);

const pathOf = (dst: unknown): Either<string, Path> =>
  typeof dst === 'string' ? parsePath(dst) : left('a path');

/**
 * The envelope as the operator wants it to be: its `dst`, `deadline` and `notes`, nothing else. A text says what is
 * wrong with one of them.
 */
export const revise = (original: Envelope, given: unknown): Envelope | string => {
  if (given === original) return original;
  if (!isRecord(given)) return 'gave no envelope';
  const { dst, deadline, notes } = given;
  const path = dst === original.dst ? right(original.dst) : pathOf(dst);
  if (isLeft(path)) return `gave a dst that is no path: ${String(dst)}`;
  if (typeof deadline !== 'number' || Number.isNaN(deadline))
    return `gave a deadline that is no time: ${String(deadline)}`;
  if (notes !== undefined && !isNotes(notes))
    return `gave notes that are not ${MOST_NOTES} texts of ${LONGEST_NOTE} characters at most`;
  return { ...original, dst: path.right, deadline, notes: notes ?? original.notes };
};
