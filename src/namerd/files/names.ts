/** Namespaces as names of files, one to one. Pure. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';

/** What all files of dtabs end with. */
const ENDING = '.dtab';
/** In bytes, escaped. With its ending and that of its draft it is below 255, which file systems allow. */
const LONGEST = 200;

const LOOSE_SURROGATE = /\p{Surrogate}/u;
/** The dot too: no file of a namespace is hidden, or leads up. */
const ESCAPED = /[^0-9A-Za-z_-]/gu;

const escapeCharacter = (character: string): string =>
  [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');

/**
 * The file of a namespace, without its folder: letters, digits, `_` and `-` stand as they are, all else as `%HH` of its
 * bytes, so that no name leads out of the folder. Errors, in words: a name that is empty, too long, or no Unicode text.
 */
export const fileOf = (namespace: string): Either<string, string> => {
  if (namespace === '') return left('expected the name of a namespace, got an empty one');
  if (LOOSE_SURROGATE.test(namespace))
    return left('expected the name of a namespace in Unicode, got half of a character');
  // Longer ones need not be escaped to see it.
  const escaped = namespace.slice(0, LONGEST + 1).replace(ESCAPED, escapeCharacter);
  return escaped.length > LONGEST
    ? left(
        `expected the name of a namespace to be at most ${LONGEST} bytes long as a file, got more`,
      )
    : right(`${escaped}${ENDING}`);
};

const unescaped = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** The namespace of a file; `undefined`: no namespace would be in it. */
export const namespaceOf = (file: string): string | undefined => {
  if (!file.endsWith(ENDING)) return undefined;
  const namespace = unescaped(file.slice(0, -ENDING.length));
  if (namespace === undefined) return undefined;
  const own = fileOf(namespace);
  return own._tag === 'Right' && own.right === file ? namespace : undefined;
};

/** Whether a file looks like one of a namespace, rightly named or not. */
export const isDtabFile = (file: string): boolean => file.endsWith(ENDING) && !file.startsWith('.');

const DRAFT = '.draft-';

/** Where the next text of a file is written, beside it. One for each file: its writes are serial. */
export const draftOf = (file: string): string => `${DRAFT}${file}`;

/** Whether a file is what a write left behind. */
export const isDraft = (file: string): boolean => file.startsWith(DRAFT);
