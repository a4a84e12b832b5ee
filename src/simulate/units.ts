/** Quantities as scenarios write them: `250ms`, `5s`, `1s..10s`, `100/s`. Pure. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Codec } from '../config/codec.ts';
import { parsed } from '../config/leaf.ts';

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = 'a duration such as 250ms, 5s, 1.5m or 2h';
const ONE = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** Reads a duration, in ms. */
export const parseDuration = (text: string): Either<string, number> => {
  const [, number = '', unit = ''] = ONE.exec(text.trim()) ?? [];
  const ms = Number(number) * (MS[unit] ?? Number.NaN);
  return number !== '' && Number.isFinite(ms) ? right(ms) : left(DURATION);
};

/** Writes one, in the largest unit that leaves no more than three digits behind the point. */
export const showDuration = (ms: number): string => {
  for (const [unit, size] of Object.entries(MS).reverse()) {
    const value = ms / size;
    if (value >= 1 && Number.isInteger(Math.round(value * 1e6) / 1e3)) return `${value}${unit}`;
  }
  return `${ms}ms`;
};

/** A duration, in ms. */
export const duration: Codec<number> = parsed(DURATION, parseDuration);

/** From one to the other, in ms. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const RANGE = 'a duration such as 5s, or two such as 1s..10s';

const parseRange = (text: string): Either<string, Range> => {
  const [low = '', high = low, ...more] = text.split('..');
  const [from, to] = [parseDuration(low), parseDuration(high)];
  if (from._tag === 'Left' || to._tag === 'Left' || more.length > 0) return left(RANGE);
  return from.right > to.right ? left(RANGE) : right({ from: from.right, to: to.right });
};

/** A duration, or any between two. */
export const range: Codec<Range> = parsed(RANGE, parseRange);

const RATE = 'a rate such as 100/s or 30/m';
const PER = /^(\d+(?:\.\d+)?)\/(s|m|h)$/;

const parseRate = (text: string): Either<string, number> => {
  const [, number = '', unit = ''] = PER.exec(text.trim()) ?? [];
  const perMs = Number(number) / (MS[unit] ?? Number.NaN);
  return perMs > 0 && Number.isFinite(perMs) ? right(perMs) : left(RATE);
};

/** How many in a ms. */
export const rate: Codec<number> = parsed(RATE, parseRate);
