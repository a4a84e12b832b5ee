/** What a name's watch and its polls tell, and how both report their look-ups. */
import { delay, map, type Observable, of } from 'rxjs';
import type { Env } from '../env.ts';
import { type Answer, type Good, type Parse, readType, type Settled } from './answer.ts';

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

/** A text of so many characters takes its time: its JSON is read in one turn of the event loop, and made sense of in the next. */
const LARGE_TEXT = 100_000;

/** Makes sense of a text. Order: at once, but for large ones. */
export const understand = <G extends Settled>(
  text: string,
  parse: Parse<G>,
  { scheduler }: Pick<Env, 'scheduler'>,
): Observable<Answer<G>> => {
  const known$ = of(readType(text));
  return (text.length < LARGE_TEXT ? known$ : known$.pipe(delay(0, scheduler))).pipe(map(parse));
};
