/** Errors of a config file in lines for people. Pure. */

/** One thing that is wrong, and where. */
export interface ConfigError {
  /** From 1. */
  readonly line: number;
  readonly col: number;
  /** Such as `routers[0].servers[1].port`; empty for the file as a whole. */
  readonly path: string;
  /** What was expected and what was there; one line. */
  readonly message: string;
}

/** `config.yaml:12:9 routers[0].servers[1].port: expected a port 1-65535, got "74x"`. */
export const showConfigError =
  (file: string) =>
  ({ line, col, path, message }: ConfigError): string =>
    `${file}:${line}:${col} ${path === '' ? '' : `${path}: `}${message}`;

/** By place in the file. */
export const sortErrors = (errors: readonly ConfigError[]): readonly ConfigError[] =>
  [...errors].sort((a, b) => a.line - b.line || a.col - b.col);

const LONGEST_VALUE = 60;

/** A value as it stands in the file, on one line and not too long. */
export const showValue = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
};

/** `routers[0].servers[1]` from its steps; a number is an index. */
export const showPath = (steps: readonly (string | number)[]): string =>
  steps
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `["${step}"]`;
      return i === 0 ? step : `.${step}`;
    })
    .join('');

/** How many letters must be changed, added or dropped to make one word of the other. */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, wanted] of [...other].entries()) {
      const swapped = (row[j] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
};

const MOST_EDITS = 2;

/** What may have been meant: the nearest known word, if it is near. */
export const suggest = (word: string, known: readonly string[]): string => {
  const ranked = known
    .map((candidate) => ({
      candidate,
      edits: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best !== undefined && best.edits <= MOST_EDITS
    ? `, did you mean "${best.candidate}"?`
    : '';
};
