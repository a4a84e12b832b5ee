/** Texts as numbers. Pure. */

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** A whole number from 0 to 2^32 - 1. Source: FNV-1a, and the finalizer of MurmurHash3, without which alike texts are near each other. */
export const hashOf = (text: string): number => {
  let h = OFFSET;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), PRIME);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};
