/** The version of a text, as it stands in its file and as others see it. */
import { createHash } from 'node:crypto';

/** A text with what tells it from those that were there before. */
export interface Stamped {
  readonly text: string;
  /** Of the writes through us, from 1; 0: none is told. */
  readonly count: number;
  /** 16 bytes: the count, big-endian, and the beginning of the text’s digest. */
  readonly version: Uint8Array;
}

const LINE = /^# version (\d{1,15})[ \t]*\r?\n/;

/** A text as it stands in its file: its count is a comment in the first line. */
export const stamp = (text: string, count: number): string => `# version ${count}\n${text}\n`;

/**
 * Reads what stands in a file. Who edits a file need not touch its first line, and may leave it out: the digest makes
 * another text another version. So it does when a namespace is deleted and its count begins anew.
 */
export const readStamped = (content: string): Stamped => {
  const [line = '', count = '0'] = LINE.exec(content) ?? [];
  const text = content.slice(line.length);
  const version = new Uint8Array(16);
  new DataView(version.buffer).setBigUint64(0, BigInt(count));
  version.set(createHash('sha256').update(text).digest().subarray(0, 8), 8);
  return { text, count: Number(count), version };
};

/** Whether two versions are one. */
export const isSameVersion = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
