/** The state of a balancer written down, exactly: thawed, it decides as this one would. Pure. */
import type { WeightedAddress } from '../address.ts';
import type { ClientPolicy } from '../config/config.ts';
import type { Part, Union } from '../interpreter/interpreter.ts';
import type {
  FrozenAddress,
  FrozenDue,
  FrozenPart,
  FrozenPolicy,
  FrozenState,
  FrozenUnion,
} from './frozen.ts';
import type { Chore, Dial, Endpoint, State, Waiter } from './state.ts';

/** What `step` reads of a policy: no key and no certificate. Of a plugin’s load balancer it names the module and its options. */
export const freezePolicy = (policy: ClientPolicy): FrozenPolicy => ({
  loadBalancer: policy.loadBalancer,
  maxWaiters: policy.maxWaiters,
  minConnections: policy.minConnections,
  emptyWaitMs: policy.emptyWaitMs,
  failFast: policy.failFast,
  requeueBudget: policy.requeueBudget,
  spareIdleMs: policy.spareIdleMs,
});

/** Endpoints of a resolution, by their texts. */
export const freezeSet = (set: readonly WeightedAddress[]): readonly FrozenAddress[] =>
  set.map(({ address, weight }) => ({ address: address.text, weight }));

const freezePart = (part: Part): FrozenPart =>
  part.t === 'set'
    ? { t: 'set', id: part.id, endpoints: freezeSet(part.endpoints) }
    : freezeUnion(part);

/** A union with its endpoints by their texts. */
export const freezeUnion = ({ branches }: Union): FrozenUnion => ({
  t: 'union',
  branches: branches.map(({ weight, part }) => ({ weight, part: freezePart(part) })),
});

/** Most endpoints of a large set are as they came; of those nothing more than that is written. */
const freezeEndpoint = (endpoint: Endpoint, sets: number): FrozenState['endpoints'][number] => {
  const { address, weight, index, seenIn, state, probe, latencyMs } = endpoint;
  const counts = [
    ['dialing', endpoint.dialing],
    ['open', endpoint.open],
    ['failures', endpoint.failures],
    ['penalties', endpoint.penalties],
    ['failedAt', endpoint.failedAt],
    ['penaltyUntil', endpoint.penaltyUntil],
    ['latencyAt', endpoint.latencyAt],
    ['bytesPerSec', endpoint.bytesPerSec],
    ['ratedAt', endpoint.ratedAt],
  ] as const;
  const told = counts.filter(([, value]) => value !== 0);
  return {
    address: address.text,
    weight,
    index,
    ...(seenIn === sets ? {} : { seenIn }),
    ...(state === 'available' ? {} : { state }),
    ...(probe === undefined ? {} : { probe }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(told.length === 0 ? {} : Object.fromEntries(told)),
  };
};

const freezeWaiter = (
  s: State,
  { conn, deadline, tried, attempts, detail }: Waiter,
): FrozenState['waiters'][number] => ({
  conn,
  deadline,
  tried: tried.map((one) => (s.endpoints.get(one.address.text) === one ? one.address.text : null)),
  attempts,
  ...(detail === undefined ? {} : { detail }),
});

const freezeDial = ({
  id,
  endpoint,
  phase,
  since,
  waiter,
}: Dial): FrozenState['dials'][number] => ({
  id,
  address: endpoint.address.text,
  phase,
  since,
  ...(waiter === undefined ? {} : { conn: waiter.conn }),
});

const freezeDue = (item: Endpoint | Waiter | Dial | Chore): FrozenDue => {
  const { due } = item;
  switch (item.kind) {
    case 'endpoint':
      return { endpoint: item.address.text, due };
    case 'waiter':
      return { waiter: item.conn, due };
    case 'dial':
      return { dial: item.id, due };
    default:
      return { chore: item.kind, due };
  }
};

const freezeResolution = (
  s: State,
): Pick<FrozenState, 'resolution' | 'stale' | 'resolvedAt' | 'sets' | 'union' | 'reform'> => ({
  resolution: s.resolution,
  stale: s.stale,
  ...(s.resolvedAt === undefined ? {} : { resolvedAt: s.resolvedAt }),
  sets: s.sets,
  ...(s.union === undefined ? {} : { union: freezeUnion(s.union) }),
  ...(s.reform === undefined
    ? {}
    : { reform: { ...s.reform, wanted: freezeSet(s.reform.wanted) } }),
});

const freezeBudget = (s: State): FrozenState['budget'] => {
  const { second, ...rest } = s.budget.freeze();
  return { ...rest, second: Number.isFinite(second) ? second : null };
};

/** The whole state. O(endpoints + waiters + dials). */
export const freeze = (s: State): FrozenState => ({
  policy: freezePolicy(s.policy),
  choices: s.choices,
  at: s.at,
  sampledAt: s.sampledAt,
  dice: [s.dice.a, s.dice.b, s.dice.c, s.dice.counter, s.dice.phase],
  ...freezeResolution(s),
  endpoints: [...s.endpoints.values()].map((endpoint) => freezeEndpoint(endpoint, s.sets)),
  freeIndexes: [...s.freeIndexes],
  indexes: s.byIndex.length,
  live: s.live.freeze(),
  aside: s.aside.freeze(),
  waiters: [...s.waiters.values()].map((waiter) => freezeWaiter(s, waiter)),
  parked: [...s.parked.keys()],
  dials: [...s.dials.values()].map(freezeDial),
  spares: [...s.spares.keys()],
  sparesDialing: s.sparesDialing,
  nextDial: s.nextDial,
  budget: freezeBudget(s),
  due: s.due.items().map(freezeDue),
  misses: [s.panic.misses, s.refill.misses, s.slice.misses, s.calm.misses],
  calmUntil: s.calmUntil,
  released: s.released,
});
