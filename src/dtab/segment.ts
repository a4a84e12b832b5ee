/** Segments of names in one canonical form, so that equal names are equal strings. Pure. */

const SHOWN = /^[0-9A-Za-z_:.#$%-]+$/;
const UNIT = /\\x([0-9a-fA-F]{2})|([^\\])/gy;

/** The bytes of a legal segment, escapes undone. */
export const segmentBytes = (segment: string): Uint8Array => {
  const bytes: number[] = [];
  for (const [, hex, plain = ''] of segment.matchAll(UNIT))
    bytes.push(hex === undefined ? plain.charCodeAt(0) : Number.parseInt(hex, 16));
  return Uint8Array.from(bytes);
};

const hexOf = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/**
 * Bytes as a segment: as they are if all may stand in a name, else every one as `\xHH` in lower case.
 * Source: Finagle’s Path.Utf8 and its show form.
 */
export const showSegment = (bytes: Uint8Array): string => {
  const plain = String.fromCharCode(...bytes);
  return SHOWN.test(plain) ? plain : [...bytes].map(hexOf).join('');
};

/** The canonical form of a legal segment. */
export const canonicalSegment = (segment: string): string =>
  segment.includes('\\') ? showSegment(segmentBytes(segment)) : segment;

/** The canonical form of a legal name. */
export const canonicalPath = <P extends string>(path: P): P =>
  path.includes('\\') ? (path.split('/').map(canonicalSegment).join('/') as P) : path;
