/** A piece of foreign text that may stand in a log line. Pure. */

const MAX_LENGTH = 160;

/** Bytes of a refusal's body that are read for its excerpt. */
export const EXCERPT_BYTES = 512;

/** The start of a text on one line; control characters become blanks. */
export const excerpt = (text: string): string => {
  const line = text
    .slice(0, 2 * MAX_LENGTH)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
};

/** The start of a value as JSON; one whose levels are too many to be written is told as that. */
export const excerptOf = (value: unknown): string => {
  try {
    return excerpt(JSON.stringify(value) ?? 'none');
  } catch {
    return 'too many levels';
  }
};
