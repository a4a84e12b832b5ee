/** What would have changed: the same world under two configurations. Pure. */
import type { Connection } from '../simulate/journal.ts';
import { quantileOf } from '../simulate/quantile.ts';
import type { Rerun } from './rerun.ts';
import type { Visitor } from './world.ts';

/** One connection that would have fared otherwise: another name, another end; endpoints are a matter of chance. */
export interface Change {
  readonly at: number;
  readonly src: string;
  readonly before: string;
  readonly after: string;
}

/** How many connections came to an outcome. */
export interface Share {
  /** `/svc/web → 10.0.0.1:80`, or `refused: connect-timeout`. */
  readonly outcome: string;
  readonly before: number;
  readonly after: number;
}

/** Accept to dispatch, in ms. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** All of it. */
export interface Comparison {
  readonly connections: number;
  /** Those that were recorded fared, in kind, as in the first run; of those whose end is known. */
  readonly alike: number;
  readonly known: number;
  /** The first ones; `changing` counts all. */
  readonly changes: readonly Change[];
  readonly changing: number;
  readonly shares: readonly Share[];
  readonly before: Quantiles;
  readonly after: Quantiles;
  /** Names that were asked for and that the recording says nothing of. */
  readonly unknown: readonly string[];
}

const MOST_CHANGES = 20;

/** What became of a connection, but for the endpoint. */
const kindOf = ({ dst, openedAt, reason, endedAt, detail }: Connection): string => {
  const name = dst === undefined ? '' : `${dst} `;
  if (openedAt !== undefined) return `${name}dispatched`;
  if (endedAt === undefined) return `${name}waits`;
  return `${name}refused: ${reason ?? detail ?? 'unknown'}`;
};

const outcomeOf = (connection: Connection): string => {
  const { dst, endpoint } = connection;
  return endpoint === undefined ? kindOf(connection) : `${dst ?? ''} → ${endpoint}`;
};

const count = (outcomes: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return counts;
};

const sharesOf = (
  before: readonly Connection[],
  after: readonly Connection[],
): readonly Share[] => {
  const [one, other] = [count(before.map(outcomeOf)), count(after.map(outcomeOf))];
  return [...new Set([...one.keys(), ...other.keys()])]
    .map((outcome) => ({
      outcome,
      before: one.get(outcome) ?? 0,
      after: other.get(outcome) ?? 0,
    }))
    .filter((share) => share.before !== share.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
};

const quantilesOf = (connections: readonly Connection[]): Quantiles => {
  const times = connections
    .flatMap(({ at, openedAt }) => (openedAt === undefined ? [] : [openedAt - at]))
    .sort((a, b) => a - b);
  return { p50: quantileOf(times, 0.5) ?? 0, p99: quantileOf(times, 0.99) ?? 0 };
};

const isAlike = (visitor: Visitor, { openedAt, reason }: Connection): boolean | undefined => {
  if (visitor.isDispatched) return openedAt !== undefined;
  return visitor.reason === undefined
    ? undefined
    : openedAt === undefined && reason === visitor.reason;
};

/** Compares run with run, and the first run with what was recorded. */
export const compare = (
  visitors: readonly Visitor[],
  { journal: before }: Rerun,
  { journal: after, unknown }: Rerun,
): Comparison => {
  const pairs = before.connections.map((one, i) => ({ one, other: after.connections[i] ?? one }));
  const changed = pairs.filter(({ one, other }) => kindOf(one) !== kindOf(other));
  const alike = visitors.flatMap((visitor, i) => {
    const connection = before.connections[i];
    return connection === undefined ? [] : [isAlike(visitor, connection)];
  });
  return {
    connections: before.connections.length,
    alike: alike.filter((is) => is === true).length,
    known: alike.filter((is) => is !== undefined).length,
    changing: changed.length,
    changes: changed.slice(0, MOST_CHANGES).map(({ one, other }) => ({
      at: one.at,
      src: one.src,
      before: outcomeOf(one),
      after: outcomeOf(other),
    })),
    shares: sharesOf(before.connections, after.connections),
    before: quantilesOf(before.connections),
    after: quantilesOf(after.connections),
    unknown: [...unknown],
  };
};
