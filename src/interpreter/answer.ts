/** namerd's JSON for the state of a name, read tolerantly. Pure. */
import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { readAddresses } from './addresses.ts';
import { excerpt, excerptOf } from './excerpt.ts';
import type { Said } from './interpreter.ts';

/** Open on purpose: later namerds add keys, and meta may hold anything. */
const Typed = t.type({ type: t.string });
const Bound = t.type({ addrs: t.UnknownArray });
const Failed = t.type({ cause: t.string });

/** What an answer may say that settles nothing. */
export type Unsettled = Extract<Said, { t: 'pending' | 'failed' }>;

/** What an answer may say that settles what is asked for. */
export type Settled = { readonly t: 'bound' | 'neg' };

/** That of a name’s addresses. */
export type Good = Extract<Said, Settled>;

/** One answer: what it says of the name, and what in it had to be left out or mended. */
export interface Answer<G extends Settled = Good> {
  readonly resolution: G | Unsettled;
  /** Empty: all of it could be used. */
  readonly flaws: readonly string[];
}

/** What JSON says of its type, or what is wrong with a text that has none. */
export type Typing = { readonly type: string; readonly json: unknown } | { readonly flaw: string };

/** Makes sense of one line of a watch, or of the body of a poll, which `readType` has read. */
export type Parse<G extends Settled> = (known: Typing) => Answer<G>;

const plain = <T>(
  resolution: T,
): { readonly resolution: T; readonly flaws: readonly string[] } => ({
  resolution,
  flaws: [],
});

/** An answer that says nothing of the name. */
export const failure = (cause: string): Answer<never> => plain({ t: 'failed', cause });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const readBound = (json: unknown): Answer => {
  const decoded = Bound.decode(json);
  if (!isRight(decoded)) return failure('namerd: expected "addrs" with "bound", got none');
  const { endpoints, flaws } = readAddresses(decoded.right.addrs);
  return { resolution: { t: 'bound', endpoints }, flaws };
};

const readFailed = (json: unknown): Answer => {
  const decoded = Failed.decode(json);
  return failure(isRight(decoded) ? `namerd: ${excerpt(decoded.right.cause)}` : 'namerd: failed');
};

/** Reads as far as the type; text that is no JSON is namerd’s word for an error. */
export const readType = (text: string): Typing => {
  const json = parseJson(text);
  if (json === undefined) return { flaw: `namerd: ${excerpt(text) || 'empty answer'}` };
  const typed = Typed.decode(json);
  if (isRight(typed)) return { type: typed.right.type, json };
  return { flaw: `namerd: expected the state of a name, got ${excerpt(text)}` };
};

/** Reads the addresses of a name. */
export const parseAnswer: Parse<Good> = (known) => {
  if ('flaw' in known) return failure(known.flaw);
  const { type, json } = known;
  switch (type) {
    case 'bound':
      return readBound(json);
    case 'neg':
    case 'pending':
      return plain({ t: type });
    case 'failed':
      return readFailed(json);
    default:
      return failure(`namerd: expected type bound, neg, pending or failed, got ${excerptOf(json)}`);
  }
};
