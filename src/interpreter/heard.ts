/** What a name's watch and its polls tell, and how both report their look-ups. */
import type { Answer, Good, Settled } from './answer.ts';

/** Most bytes of one answer; 10,000 endpoints are about 1 MB. */
export const MAX_ANSWER_BYTES = 16 * 2 ** 20;

/** One thing that is heard of a name. */
export type Heard<G extends Settled = Good> =
  /** A poll was sent. */
  | { readonly t: 'asked' }
  /** What came of the poll. */
  | { readonly t: 'answered'; readonly answer: Answer<G> }
  /** A line of the watch. */
  | { readonly t: 'said'; readonly answer: Answer<G> }
  /** The watch ended, or could not be had. */
  | { readonly t: 'lost'; readonly cause: string };

/** Told at the end of each look-up, in ms from its beginning; `cause` only if it failed. */
export type Report = (ms: number, cause?: string) => void;

/** Whether an answer settles what the name is. */
export const isGood = ({ resolution: { t } }: Answer<Settled>): boolean =>
  t === 'bound' || t === 'neg';
