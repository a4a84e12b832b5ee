/** What stays known of a source when it fails. Pure. */
import type { Addr, Binding } from './namers/namer.ts';

/** The last good word of a source, and what was said since that settles nothing. */
export interface LastGood<G> {
  readonly good?: G | undefined;
  /** Why it may be old. */
  readonly doubt?: string | undefined;
  /** ms of the scheduler at which the good word was heard last; absent: it holds until another comes. */
  readonly at?: number | undefined;
}

/** A binding that settles something. */
export type GoodBinding = Extract<Binding, { t: 'ok' }>;
/** Addresses that settle something. */
export type GoodAddr = Extract<Addr, { t: 'bound' | 'neg' }>;

/** What of a source may be told on: `pending` only before anything is known. */
type Unsettled = { readonly t: 'pending' } | { readonly t: 'failed'; readonly cause: string };

/** Takes in what a source says: what settles nothing leaves the last good word in place. */
export const keep = <G extends { readonly t: string }>(
  { good }: LastGood<G>,
  said: G | Unsettled,
): LastGood<G> => {
  if (said.t === 'pending') return { good, doubt: good && 'nothing is known of it again' };
  if (said.t === 'failed') return { good, doubt: (said as { readonly cause: string }).cause };
  return { good: said as G };
};

/** What is to be believed of a source now; `undefined`: it has not spoken. */
export const believed = <G>(known: LastGood<G> | undefined): G | Unsettled => {
  if (known?.good !== undefined) return known.good;
  return known?.doubt === undefined ? { t: 'pending' } : { t: 'failed', cause: known.doubt };
};
