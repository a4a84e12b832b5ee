/** Names such as `/svc/web`: parsed once, then compared by whole segments. Pure. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';

declare const path: unique symbol;

/** A valid name: `/`, or segments each led by `/`, none empty, no slash at the end. */
export type Path = string & { readonly [path]: true };

const LEGAL = /^(?:\/|(?:\/(?:[0-9A-Za-z_:.#$%-]|\\x[0-9a-fA-F]{2})+)+)$/;

/** Reads a name; what is wrong with it is told as the text of an "expected …" message. */
export const parsePath = (text: string): Either<string, Path> =>
  LEGAL.test(text)
    ? right(text as Path)
    : left('a path such as /svc/web (letters, digits, _ : . # $ % - and \\xHH, no empty segment)');

/** The segments of a name; `/` has none. */
export const segments = (name: string): readonly string[] =>
  name === '/' ? [] : name.slice(1).split('/');

/** A reference to one segment's text, `{name}`, in a pattern. */
const CAPTURE = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** What captures have matched, by their names. */
export type Captures = Readonly<Record<string, string>>;

/** A compiled prefix: says whether a name starts with it, and what its captures matched. */
export type Prefix = (name: Path) => Captures | undefined;

const compileSegment = (segment: string): RegExp => {
  if (segment === '*') return /^.+$/;
  let source = '';
  let from = 0;
  for (const match of segment.matchAll(CAPTURE)) {
    source += `${escaped(segment.slice(from, match.index))}(?<${match[1]}>.+)`;
    from = match.index + match[0].length;
  }
  return new RegExp(`^${source}${escaped(segment.slice(from))}$`);
};

/**
 * Compiles patterns of segments, each to be matched by the segment in its place; there may be more behind them.
 * `*` stands for any one segment, `{name}` captures within a segment, greedily.
 */
export const compileSegments = (
  patterns: readonly string[],
): ((found: readonly string[]) => Captures | undefined) => {
  const wanted = patterns.map(compileSegment);
  return (found) => {
    if (found.length < wanted.length) return undefined;
    const captures: Record<string, string> = {};
    for (const [i, matcher] of wanted.entries()) {
      const match = matcher.exec(found[i] ?? '');
      if (match === null) return undefined;
      Object.assign(captures, match.groups);
    }
    return captures;
  };
};

/**
 * Compiles a prefix pattern. It matches by whole segments (`/svc` starts `/svc/web`, not `/svcs`).
 * Source: linkerd 1.x PathMatcher; there the segments are not anchored, which we take for a bug.
 */
export const compilePrefix = (pattern: string): Prefix => {
  const match = compileSegments(segments(pattern));
  return (name) => match(segments(name));
};

/** The names of the captures in a pattern or a template. */
export const captureNames = (text: string): readonly string[] =>
  [...text.matchAll(CAPTURE)].map(([, name = '']) => name);

/** Puts captures into a template: `{name}` becomes what it matched, unknown names stay as they are. */
export const substitute = (template: string, captures: Captures): string =>
  template.replace(CAPTURE, (whole, name: string) =>
    Object.hasOwn(captures, name) ? (captures[name] ?? whole) : whole,
  );

/** Longest text that becomes a segment, in characters. */
const LONGEST_SEGMENT = 253;
const ILLEGAL = /[^0-9A-Za-z_:.#$%-]/gu;

const escapeCharacter = (character: string): string =>
  [...new TextEncoder().encode(character)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');

/**
 * Any text as one segment of a name: bytes that no segment may have are written as `\xHH`, so it can never become two.
 * `undefined`: it is empty, or longer than 253 characters.
 */
export const segmentOf = (text: string): string | undefined =>
  text === '' || text.length > LONGEST_SEGMENT ? undefined : text.replace(ILLEGAL, escapeCharacter);
