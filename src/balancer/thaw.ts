/** A balancer made again from what was written down of it. Pure. */
import { type Address, parseAddress, type WeightedAddress } from '../address.ts';
import type { ClientPolicy } from '../config/config.ts';
import { DEFAULT_POLICY } from '../config/policy.ts';
import type { Part, Union } from '../interpreter/interpreter.ts';
import { RetryBudget } from './budget.ts';
import type {
  FrozenAddress,
  FrozenDue,
  FrozenPart,
  FrozenPolicy,
  FrozenState,
  FrozenUnion,
} from './frozen.ts';
import type { MakeLoadBalancer } from './load-balancer.ts';
import { Lots } from './lots.ts';
import {
  type Chore,
  type Dial,
  type Endpoint,
  makeDial,
  makeEndpoint,
  makeState,
  makeWaiter,
  type State,
  type Waiter,
} from './state.ts';

/** A policy that `step` takes for the one that was written down. */
export const thawPolicy = (policy: FrozenPolicy): ClientPolicy => ({
  ...DEFAULT_POLICY,
  ...policy,
});

/** The address of a text; to a balancer it is the text that counts. */
const thawAddress = (text: string): Address => parseAddress(text) ?? { ip: text, port: 0, text };

/** Endpoints of a resolution. */
export const thawSet = (set: readonly FrozenAddress[]): readonly WeightedAddress[] =>
  set.map(({ address, weight }) => ({ address: thawAddress(address), weight }));

const thawPart = (part: FrozenPart): Part =>
  part.t === 'set'
    ? { t: 'set', id: part.id, endpoints: thawSet(part.endpoints) }
    : thawUnion(part);

/** A union of a resolution. */
export const thawUnion = ({ branches }: FrozenUnion): Union => ({
  t: 'union',
  branches: branches.map(({ weight, part }) => ({ weight, part: thawPart(part) })),
});

/** Lots of a union plant branches at places of chance, which `restore` writes over. */
const thawLots = (union: Union | undefined, frozen: FrozenState['live'], s: State): Lots => {
  const lots = new Lots(union, { ...s.dice });
  lots.restore(frozen, s.byIndex.length);
  return lots;
};

/** An endpoint that has gone: in nobody’s way, but it was tried. */
const ghost = (): Endpoint => makeEndpoint({ address: thawAddress(''), weight: 0 }, -1, 0);

/** What is known of an endpoint, field by field: a line may hold others that nobody has written. */
const thawEndpoint = (endpoint: Endpoint, frozen: FrozenState['endpoints'][number]): void => {
  endpoint.state = frozen.state ?? 'available';
  endpoint.dialing = frozen.dialing ?? 0;
  endpoint.open = frozen.open ?? 0;
  endpoint.failures = frozen.failures ?? 0;
  endpoint.penalties = frozen.penalties ?? 0;
  endpoint.failedAt = frozen.failedAt ?? 0;
  endpoint.penaltyUntil = frozen.penaltyUntil ?? 0;
  endpoint.probe = frozen.probe;
  endpoint.latencyMs = frozen.latencyMs;
  endpoint.latencyAt = frozen.latencyAt ?? 0;
  endpoint.bytesPerSec = frozen.bytesPerSec ?? 0;
  endpoint.ratedAt = frozen.ratedAt ?? 0;
};

const thawEndpoints = (s: State, { endpoints, indexes, freeIndexes, sets }: FrozenState): void => {
  if (indexes !== endpoints.length + freeIndexes.length)
    throw new Error(`expected ${endpoints.length + freeIndexes.length} indexes, got ${indexes}`);
  s.byIndex.length = indexes;
  s.byIndex.fill(undefined);
  s.freeIndexes.push(...freeIndexes);
  for (const frozen of endpoints) {
    const { address, weight, index, seenIn = sets } = frozen;
    const endpoint = makeEndpoint({ address: thawAddress(address), weight }, index, seenIn);
    thawEndpoint(endpoint, frozen);
    s.byIndex[index] = endpoint;
    s.endpoints.set(address, endpoint);
  }
};

const thawWaiters = (s: State, { waiters, parked }: FrozenState): void => {
  for (const { conn, deadline, tried, attempts, detail } of waiters) {
    const waiter = makeWaiter(conn, deadline);
    waiter.tried.push(...tried.map((text) => s.endpoints.get(text ?? '') ?? ghost()));
    waiter.attempts = attempts;
    waiter.detail = detail;
    s.waiters.set(conn, waiter);
  }
  for (const conn of parked) {
    const waiter = s.waiters.get(conn);
    if (waiter !== undefined) s.parked.set(conn, waiter);
  }
};

const thawDials = (s: State, { dials, spares }: FrozenState): void => {
  for (const { id, address, phase, since, conn } of dials) {
    const waiter = conn === undefined ? undefined : s.waiters.get(conn);
    const dial = makeDial(id, s.endpoints.get(address) ?? ghost(), waiter, since);
    dial.phase = phase;
    if (waiter !== undefined) waiter.dial = dial;
    s.dials.set(id, dial);
    if (phase === 'dialing' && conn === undefined) s.sparesDialing += 1;
  }
  for (const id of spares) {
    const dial = s.dials.get(id);
    if (dial !== undefined) s.spares.set(id, dial);
  }
};

const dueItem = (s: State, one: FrozenDue): Endpoint | Waiter | Dial | Chore | undefined => {
  if ('endpoint' in one) return s.endpoints.get(one.endpoint);
  if ('waiter' in one) return s.waiters.get(one.waiter);
  if ('dial' in one) return s.dials.get(one.dial);
  return s[one.chore];
};

const thawDue = (s: State, frozen: FrozenState): void => {
  const items = frozen.due.flatMap((one) => {
    const item = dueItem(s, one);
    if (item === undefined) return [];
    item.due = one.due;
    return [item];
  });
  s.due.restore(items);
  const [panic, refill, slice, calm] = frozen.misses;
  s.panic.misses = panic;
  s.refill.misses = refill;
  s.slice.misses = slice;
  s.calm.misses = calm;
};

const thawCounts = (s: State, frozen: FrozenState): void => {
  s.at = frozen.at;
  s.sampledAt = frozen.sampledAt;
  const [a, b, c, counter, phase] = frozen.dice;
  Object.assign(s.dice, { a, b, c, counter, phase });
  s.resolution = frozen.resolution;
  s.stale = frozen.stale;
  s.resolvedAt = frozen.resolvedAt;
  s.sets = frozen.sets;
  s.union = frozen.union === undefined ? undefined : thawUnion(frozen.union);
  const { reform } = frozen;
  s.reform = reform === undefined ? undefined : { ...reform, wanted: thawSet(reform.wanted) };
  s.nextDial = frozen.nextDial;
  s.calmUntil = frozen.calmUntil;
  s.released = frozen.released;
};

/**
 * Makes it. What is written down must be of one state: what it refers to and does not hold is left out. `makeBalancer`
 * as in `makeState`. Errors: throws where no state can have been that.
 */
export const thaw = (frozen: FrozenState, makeBalancer?: MakeLoadBalancer): State => {
  const policy = thawPolicy(frozen.policy);
  const s = makeState(policy, 0, makeBalancer);
  s.choices = frozen.choices;
  thawCounts(s, frozen);
  thawEndpoints(s, frozen);
  thawWaiters(s, frozen);
  thawDials(s, frozen);
  thawDue(s, frozen);
  s.live = thawLots(s.union, frozen.live, s);
  s.aside = thawLots(s.union, frozen.aside, s);
  const { second } = frozen.budget;
  s.budget = RetryBudget.thaw(policy.requeueBudget, {
    ...frozen.budget,
    second: second ?? Number.NEGATIVE_INFINITY,
  });
  return s;
};
