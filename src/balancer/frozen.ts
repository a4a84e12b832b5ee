/**
 * The state of a balancer as plain data, as a recording holds it. JSON has no infinity: `null` stands for it, and what
 * is as in a fresh state may be absent. Pure.
 */
import * as t from 'io-ts';
import { MOST_SPARES } from '../config/policy.ts';

/** A number; `null`: never, or no limit. */
export const limit = new t.Type<number, number, unknown>(
  'a number or null',
  t.number.is,
  (value, context) =>
    value === null ? t.success(Number.POSITIVE_INFINITY) : t.number.validate(value, context),
  t.identity,
);

/** A number of things that are made, from a file that anybody may have written. */
const upTo = (most: number): t.Type<number> =>
  new t.Type(
    `a number up to ${most}`,
    t.number.is,
    (value, context) =>
      typeof value === 'number' && value >= 0 && value <= most
        ? t.success(value)
        : t.failure(value, context),
    t.identity,
  );

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 2 ** 50;

/** A whole number that counting comes to. */
export const count = new t.Type<number, number, unknown>(
  'a whole number',
  isCount,
  (value, context) => (isCount(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
);

/** A time in ms of the scheduler; within some ten thousand years. */
export const time = upTo(2 ** 50);

const counts = t.readonlyArray(count);
const numbers = t.readonlyArray(t.number);

const carried = t.keyof({ connections: null, throughput: null, latency: null });

/** What `step` reads of a client policy. */
export const frozenPolicy = t.readonly(
  t.type({
    loadBalancer: t.union([
      t.type({ kind: t.literal('p2c'), load: carried }),
      t.intersection([
        t.type({
          kind: t.literal('custom'),
          by: t.string,
          options: t.record(t.string, t.unknown),
          place: t.string,
          load: carried,
        }),
        t.partial({ module: t.string }),
      ]),
    ]),
    maxWaiters: limit,
    minConnections: upTo(MOST_SPARES),
    emptyWaitMs: limit,
    failFast: t.type({ maxConsecutiveFailures: limit, failurePenaltySecs: t.number }),
    requeueBudget: t.type({
      minRetriesPerSec: t.number,
      percentCanRetry: t.number,
      ttlSecs: upTo(3600),
    }),
    spareIdleMs: limit,
  }),
);

/** An address that must be one line of text; whether it is an address does not matter to a balancer. */
const weighted = t.readonly(t.type({ address: t.string, weight: t.number }));

/** An endpoint of a set, by its text. */
export type FrozenAddress = t.TypeOf<typeof weighted>;

/** A part of a union. */
export type FrozenPart =
  | { readonly t: 'set'; readonly id: string; readonly endpoints: readonly FrozenAddress[] }
  | FrozenUnion;

/** A union. */
export interface FrozenUnion {
  readonly t: 'union';
  readonly branches: readonly { readonly weight: number; readonly part: FrozenPart }[];
}

const part: t.Type<FrozenPart, unknown> = t.recursion('a part', () =>
  t.union([
    t.type({ t: t.literal('set'), id: t.string, endpoints: t.readonlyArray(weighted) }),
    frozenUnion,
  ]),
);

/** As resolutions tell it. */
export const frozenUnion: t.Type<FrozenUnion, unknown> = t.recursion('a union', () =>
  t.type({
    t: t.literal('union'),
    branches: t.readonlyArray(t.type({ weight: t.number, part })),
  }),
);

/** Sets of endpoints. */
export const frozenSet = t.readonlyArray(weighted);

const endpoint = t.intersection([
  t.type({ address: t.string, weight: t.number, index: count }),
  t.partial({
    seenIn: count,
    state: t.keyof({ available: null, failed: null, retired: null }),
    dialing: count,
    open: count,
    failures: count,
    penalties: count,
    failedAt: time,
    penaltyUntil: limit,
    probe: count,
    latencyMs: t.number,
    latencyAt: time,
    bytesPerSec: t.number,
    ratedAt: time,
  }),
]);

const waiter = t.intersection([
  t.type({
    conn: count,
    deadline: limit,
    /** Addresses; `null`: one that has gone since. */
    tried: t.readonlyArray(t.union([t.string, t.null])),
    attempts: count,
  }),
  t.partial({ detail: t.string }),
]);

const dial = t.intersection([
  t.type({
    id: count,
    address: t.string,
    phase: t.keyof({ dialing: null, spare: null, open: null }),
    since: time,
  }),
  t.partial({ conn: count }),
]);

const drum = t.type({
  exponent: t.number,
  sum: t.number,
  cap: t.number,
  slots: counts,
  weights: t.union([numbers, t.number]),
});

const lots = t.type({
  forks: t.readonlyArray(t.type({ phase: t.number, isOpen: t.readonlyArray(t.boolean) })),
  sets: t.readonlyArray(t.readonlyArray(drum)),
});

/** When something falls due: an endpoint by its address, a waiter, a dial, or a chore by its kind. */
const due = t.union([
  t.type({ endpoint: t.string, due: time }),
  t.type({ waiter: count, due: time }),
  t.type({ dial: count, due: time }),
  t.type({ chore: t.keyof({ panic: null, refill: null, slice: null, calm: null }), due: time }),
]);

/** `null`: no second was counted yet. */
const budget = t.type({ balance: numbers, sum: t.number, second: t.union([count, t.null]) });

/** All that a balancer knows. */
export const frozenState = t.readonly(
  t.intersection([
    t.type({
      policy: frozenPolicy,
      /** How often a load balancer of a plugin was asked. */
      choices: count,
      at: time,
      sampledAt: time,
      /** a, b, c, counter, phase. */
      dice: t.tuple([t.number, t.number, t.number, t.number, t.number]),
      resolution: t.keyof({ pending: null, bound: null, neg: null }),
      stale: t.boolean,
      sets: count,
      /** By when they came. */
      endpoints: t.readonlyArray(endpoint),
      freeIndexes: counts,
      /** So many indexes are in use or free. */
      indexes: count,
      live: lots,
      aside: lots,
      waiters: t.readonlyArray(waiter),
      /** Connections, in line. */
      parked: counts,
      dials: t.readonlyArray(dial),
      spares: counts,
      sparesDialing: count,
      nextDial: count,
      budget,
      due: t.readonlyArray(due),
      /** Misses in a row of `panic`, `refill`, `slice` and `calm`. */
      misses: t.tuple([count, count, count, count]),
      calmUntil: time,
      released: t.boolean,
    }),
    t.partial({
      resolvedAt: time,
      union: frozenUnion,
      reform: t.type({ wanted: frozenSet, entered: count, looked: count }),
    }),
  ]),
);

/** See `frozenPolicy`. */
export type FrozenPolicy = t.TypeOf<typeof frozenPolicy>;
/** See `frozenState`. */
export type FrozenState = t.TypeOf<typeof frozenState>;
/** See `frozenState`. */
export type FrozenDue = t.TypeOf<typeof due>;
