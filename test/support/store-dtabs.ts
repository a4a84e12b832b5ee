/** Dtabs whose every rule tells which one they are. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Dtab } from '../../src/dtab/dtab.ts';
import { parseDtab } from '../../src/dtab/parse.ts';

/** Rules of one dtab: enough for more than one page of a file. */
export const RULES = 200;

/** The dtab of a number. Errors: throws if the text is none. */
export const dtabOf = (n: number): Dtab => {
  const text = Array.from({ length: RULES }, (_, i) => `/svc/${i}=>/#/io.l5d.fs/${n}`).join(';');
  const parsed = parseDtab(text);
  if (isLeft(parsed)) throw new Error(parsed.left.message);
  return parsed.right;
};

/** The number of a dtab. Errors: throws unless it is one of `dtabOf`, whole. */
export const numberOf = (dtab: Dtab): number => {
  const [first] = dtab;
  const n = first?.dst.t === 'leaf' ? Number(first.dst.value.split('/').at(-1)) : Number.NaN;
  if (JSON.stringify(dtab) !== JSON.stringify(dtabOf(n))) throw new Error('no whole dtab');
  return n;
};
