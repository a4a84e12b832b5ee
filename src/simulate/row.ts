/** Rows of marbles: what happens when, as RxJS writes it. Pure. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';

/** One marble. */
export interface Mark {
  /** In ms from the row’s beginning. */
  readonly at: number;
  readonly key: string;
}

/** What is wrong with a row, and at which of its characters, from 1. */
export interface RowError {
  readonly message: string;
  readonly column: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const PROGRESS = /^(\d+(?:\.\d+)?)(ms|s|m)( |$)/;
const KEY = /^[A-Za-z0-9]$/;

/**
 * Reads a row: `-` is 1 ms, a letter or digit is a marble and 1 ms, `(ab)` are several at once (and as many ms as it has
 * characters), ` 250ms ` between blanks is time that passes, and other blanks are for alignment.
 */
export const parseRow = (text: string): Either<RowError, readonly Mark[]> => {
  const marks: Mark[] = [];
  let [at, groupAt, i] = [0, -1, 0];
  const wrong = (message: string) => left({ message, column: i + 1 });
  for (; i < text.length; i++) {
    const character = text.charAt(i);
    const isApart = i === 0 || text.charAt(i - 1) === ' ';
    const [whole, number, unit = ''] = (isApart ? PROGRESS.exec(text.slice(i)) : null) ?? [];
    if (whole !== undefined && groupAt < 0) {
      at += Number(number) * (UNITS[unit] ?? 0);
      // The blank behind it is the next character.
      i += whole.trimEnd().length - 1;
    } else if (character === '(') {
      if (groupAt >= 0) return wrong('expected ) before another (');
      groupAt = at;
      at += 1;
    } else if (character === ')') {
      if (groupAt < 0) return wrong('expected ( before )');
      groupAt = -1;
      at += 1;
    } else if (character === '-') at += 1;
    else if (KEY.test(character)) {
      marks.push({ at: groupAt >= 0 ? groupAt : at, key: character });
      at += 1;
    } else if (character !== ' ')
      return wrong(`expected -, a letter, a digit, ( ) or a time such as 250ms, got ${character}`);
  }
  return groupAt >= 0 ? wrong('expected ) at the end') : right(marks);
};
