/** What a scenario expects, in sentences: `success >= 99.9%`, `failed(db2) within 3s`. Pure. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { CLOSE_REASONS, type CloseReason } from '../close-reason.ts';
import { suggest } from '../config/report.ts';
import { parseDuration } from './units.ts';

/** How a number is compared. */
export type Comparison = '>=' | '>' | '<=' | '<' | '==';

/** A number, or a share of all connections. */
export interface Bound {
  readonly comparison: Comparison;
  readonly value: number;
  readonly isShare: boolean;
}

/** Of the connections that came in this time, in ms. */
export interface Window {
  readonly from: number;
  readonly until: number;
}

/** One sentence. `endpoint` and `target` are as they stand in the file. */
export type Sentence =
  | ({ readonly t: 'success' } & Bound & Window)
  | ({ readonly t: 'ended'; readonly reason: CloseReason | undefined } & Bound & Window)
  | ({ readonly t: 'connections'; readonly target: string } & Bound & Window)
  | ({ readonly t: 'lookups'; readonly target: string } & Bound)
  | ({ readonly t: 'most'; readonly what: 'open' | 'waiting' } & Bound)
  | ({
      readonly t: 'connect';
      readonly quantile: number;
      readonly comparison: Comparison;
      readonly ms: number;
    } & Window)
  | { readonly t: 'crowd'; readonly share: number; readonly ms: number }
  | {
      readonly t: 'within';
      readonly what: 'failed' | 'restored';
      readonly endpoint: string;
      readonly ms: number;
    }
  | { readonly t: 'never'; readonly who: string; readonly target: string };

const FORMS = [
  'success >= 99.9%',
  'refused <= 3',
  'refused(connect-timeout) == 0',
  'ended(reset) <= 1%',
  'connections(db1) >= 40%',
  'lookups(/svc/db) == 1',
  'most open <= 100',
  'most waiting <= 10',
  'connect p99 <= 50ms',
  'no endpoint > 40% of connections for 10s',
  'failed(db2) within 3s',
  'restored(db2) within 3s',
  'never *.example.com -> /svc/b',
];

/** What may be expected, an example of each. */
export const SENTENCES: readonly string[] = FORMS;

const COMPARED = /^(.*?)\s*(>=|<=|==|>|<)\s*(\S+)$/;
const SPAN = /^(.*?)(?:\s+from\s+(\S+))?(?:\s+until\s+(\S+))?$/;

type Read<T> = Either<string, T>;

const durationOf = (text: string | undefined, absent: number): Read<number> =>
  text === undefined ? right(absent) : parseDuration(text);

/** Takes `from 5s until 20s` off the end. */
const windowOf = (text: string): Read<{ readonly rest: string; readonly window: Window }> => {
  const [, rest = text, fromText, untilText] = SPAN.exec(text) ?? [];
  const from = durationOf(fromText, 0);
  const until = durationOf(untilText, Number.POSITIVE_INFINITY);
  if (isLeft(from)) return from;
  return isLeft(until) ? until : right({ rest, window: { from: from.right, until: until.right } });
};

const boundOf = (comparison: string, text: string): Read<Bound> => {
  const isShare = text.endsWith('%');
  const value = Number(isShare ? text.slice(0, -1) : text);
  if (text === '' || Number.isNaN(value))
    return left(`a number or a share such as 99.9%, got ${text}`);
  return right({
    comparison: comparison as Comparison,
    value: isShare ? value / 100 : value,
    isShare,
  });
};

/** Whether it is why a connection ends. */
export const isReason = (text: string): text is CloseReason => Object.hasOwn(CLOSE_REASONS, text);

const SUBJECT = /^(success|refused|ended|connections|lookups|most open|most waiting)(?:\((.*)\))?$/;

const endsOf = (
  subject: string,
  reason: string | undefined,
  rest: Bound & Window,
): Read<Sentence> => {
  if (reason === undefined && subject === 'ended') return left('a reason, as in ended(reset)');
  if (reason === undefined) return right({ t: 'ended', reason: undefined, ...rest });
  if (isReason(reason)) return right({ t: 'ended', reason, ...rest });
  return left(`a close reason, got ${reason}${suggest(reason, Object.keys(CLOSE_REASONS))}`);
};

const comparedOf = (left_: string, bound: Bound, window: Window): Read<Sentence> => {
  const [, subject = '', of] = SUBJECT.exec(left_) ?? [];
  const rest = { ...bound, ...window };
  switch (subject) {
    case 'success':
      return right({ t: 'success', ...rest });
    case 'refused':
    case 'ended':
      return endsOf(subject, of, rest);
    case 'connections':
    case 'lookups':
      if (of === undefined) return left(`something in parentheses, as in ${subject}(/svc/db)`);
      return right({ t: subject, target: of, ...rest });
    case 'most open':
    case 'most waiting':
      return right({ t: 'most', what: subject === 'most open' ? 'open' : 'waiting', ...rest });
    default:
      return left(`one of: ${FORMS.join('; ')}`);
  }
};

const CROWD = /^no endpoint\s*>\s*(\d+(?:\.\d+)?)%\s+of connections for\s+(\S+)$/;
const WITHIN = /^(failed|restored)\(([^)]+)\)\s+within\s+(\S+)$/;
const NEVER = /^never\s+(\S+)\s*->\s*(\S+)$/;
const QUANTILE = /^connect p(\d+(?:\.\d+)?)$/;

const timed = <T>(text: string, make: (ms: number) => T): Read<T> => {
  const ms = parseDuration(text);
  return isLeft(ms) ? ms : right(make(ms.right));
};

/** Reads a sentence; `Left` is what follows “expected”. */
export const parseSentence = (text: string): Read<Sentence> => {
  const [, percent = '', crowdFor] = CROWD.exec(text) ?? [];
  if (crowdFor !== undefined)
    return timed(crowdFor, (ms) => ({ t: 'crowd', share: Number(percent) / 100, ms }));
  const [, what, endpoint = '', limit = ''] = WITHIN.exec(text) ?? [];
  if (what === 'failed' || what === 'restored')
    return timed(limit, (ms) => ({ t: 'within', what, endpoint, ms }));
  const [, who, target = ''] = NEVER.exec(text) ?? [];
  if (who !== undefined) return right({ t: 'never', who, target });
  const spanned = windowOf(text);
  if (isLeft(spanned)) return spanned;
  const { rest, window } = spanned.right;
  const [, subject = '', comparison = '', value = ''] = COMPARED.exec(rest) ?? [];
  const [, quantile] = QUANTILE.exec(subject) ?? [];
  if (quantile !== undefined)
    return timed(value, (ms) => ({
      t: 'connect',
      quantile: Number(quantile) / 100,
      comparison: comparison as Comparison,
      ms,
      ...window,
    }));
  if (comparison === '') return left(`one of: ${FORMS.join('; ')}`);
  const bound = boundOf(comparison, value);
  return isLeft(bound) ? bound : comparedOf(subject, bound.right, window);
};
