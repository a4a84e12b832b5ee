/** namerd's JSON for the state of a name, read tolerantly. Pure. */
import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { readAddresses } from './addresses.ts';
import { excerpt } from './excerpt.ts';
import type { Said } from './interpreter.ts';

/** Open on purpose: later namerds add keys, and meta may hold anything. */
const Typed = t.type({ type: t.string });
const Bound = t.type({ addrs: t.UnknownArray });
const Failed = t.type({ cause: t.string });

/** One answer: what it says of the name, and what in it had to be left out or mended. */
export interface Answer {
  readonly resolution: Said;
  /** Empty: all of it could be used. */
  readonly flaws: readonly string[];
}

const plain = (resolution: Said): Answer => ({ resolution, flaws: [] });

/** An answer that says nothing of the name. */
export const failure = (cause: string): Answer => plain({ t: 'failed', cause });

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

/** Reads one line of a watch, or the body of a poll; text that is no JSON is namerd's word for an error. */
export const parseAnswer = (text: string): Answer => {
  const json = parseJson(text);
  if (json === undefined) return failure(`namerd: ${excerpt(text) || 'empty answer'}`);
  const typed = Typed.decode(json);
  if (!isRight(typed)) return failure(`namerd: expected the state of a name, got ${excerpt(text)}`);
  switch (typed.right.type) {
    case 'bound':
      return readBound(json);
    case 'neg':
    case 'pending':
      return plain({ t: typed.right.type });
    case 'failed':
      return readFailed(json);
    default:
      return failure(`namerd: expected type bound, neg, pending or failed, got ${excerpt(text)}`);
  }
};
