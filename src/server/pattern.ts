/** Patterns of names and URIs, by whole labels or segments. Pure. */
import { type Captures, compileSegments } from '../path.ts';

/** A compiled pattern: what its captures matched; `undefined`: it does not match. */
export type Pattern = (value: string) => Captures | undefined;

const NONE: Captures = {};

const compileOne = (pattern: string, separator: string): Pattern => {
  const parts = pattern.split(separator);
  const match = compileSegments(parts);
  return (value) => {
    const found = value.split(separator);
    return found.length === parts.length ? match(found) : undefined;
  };
};

/**
 * Compiles patterns of which one must match the whole of a value. Between separators `*` stands for any one part, and
 * `{name}` captures within a part. Those without either are tried first, and together.
 */
export const compilePatterns = (patterns: readonly string[], separator: string): Pattern => {
  const exact = new Set(patterns.filter((pattern) => !/[*{]/.test(pattern)));
  const open = patterns
    .filter((pattern) => !exact.has(pattern))
    .map((pattern) => compileOne(pattern, separator));
  return (value) => {
    if (exact.has(value)) return NONE;
    for (const match of open) {
      const captures = match(value);
      if (captures !== undefined) return captures;
    }
    return undefined;
  };
};
