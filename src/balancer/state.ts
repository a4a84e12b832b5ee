/** What a balancer knows: endpoints, waiters and dials of one name. Pure. */
import type { Address, WeightedAddress } from '../address.ts';
import type { ClientPolicy } from '../config/config.ts';
import { type Due, DueQueue } from '../heap.ts';
import type { Union } from '../interpreter/interpreter.ts';
import { Table } from '../table.ts';
import { RetryBudget } from './budget.ts';
import type { LoadBalancer, MakeLoadBalancer } from './load-balancer.ts';
import { Lots } from './lots.ts';
import { type Dice, makeDice } from './random.ts';

/** One address of the name, with all that is known of it. */
export interface Endpoint extends Due {
  readonly kind: 'endpoint';
  readonly address: Address;
  /** Its slot in the lotteries. */
  readonly index: number;
  weight: number;
  /** The last set that it was in, by its number. */
  seenIn: number;
  state: 'available' | 'failed' | 'retired';
  dialing: number;
  /** Connected: streams and spares. */
  open: number;
  /** Consecutive failures; cleared by a success. */
  failures: number;
  /** Penalties in a row; the next one grows with it. */
  penalties: number;
  /** When it was last put aside. */
  failedAt: number;
  /** When the penalty ends. */
  penaltyUntil: number;
  /** While failed: the dial that probes it now. */
  probe: number | undefined;
  /** Peak of its latency as it was at `latencyAt`, in ms; `undefined`: it has never answered. */
  latencyMs: number | undefined;
  latencyAt: number;
  /** Rate of its streams as it was at `ratedAt`. */
  bytesPerSec: number;
  ratedAt: number;
}

/** A connection that waits for an endpoint. */
export interface Waiter extends Due {
  readonly kind: 'waiter';
  readonly conn: number;
  readonly deadline: number;
  /** The dial made on its behalf; `undefined`: parked. */
  dial: Dial | undefined;
  readonly tried: Endpoint[];
  attempts: number;
  /** What the last failed dial said. */
  detail: string | undefined;
}

/** A connection to an endpoint, from the dial to its end. */
export interface Dial extends Due {
  readonly kind: 'dial';
  readonly id: number;
  readonly endpoint: Endpoint;
  phase: 'dialing' | 'spare' | 'open';
  /** Who it is for; `undefined`: a spare. */
  waiter: Waiter | undefined;
  /** When its phase began. */
  since: number;
}

/** A chore of the balancer itself, done when it falls due. */
export interface Chore extends Due {
  readonly kind: 'panic' | 'refill' | 'slice' | 'calm';
  /** Times in a row that it came to nothing; its next delay grows with it. */
  misses: number;
}

/** A change to a new set that is not done yet. */
export interface Reform {
  /** The new set. */
  readonly wanted: readonly WeightedAddress[];
  /** How many of it have come. */
  entered: number;
  /** The indexes below have been looked through for who is to go. */
  looked: number;
}

/** Everything one balancer knows. It belongs to the scan that steps it: nobody else may hold it. */
export interface State {
  policy: ClientPolicy;
  /** Makes load balancers of plugins. */
  readonly makeBalancer: MakeLoadBalancer;
  /** That of the policy; `undefined`: `p2c`. */
  balancer: LoadBalancer | undefined;
  /** How often it has been asked. */
  choices: number;
  /** The time of the event in hand. */
  at: number;
  /** When streams were sampled last. */
  sampledAt: number;
  readonly dice: Dice;
  resolution: 'pending' | 'bound' | 'neg';
  stale: boolean;
  /** When the last good answer came. */
  resolvedAt: number | undefined;
  /** How many sets of endpoints there have been. */
  sets: number;
  /** How the last set is divided; absent: not at all. */
  union: Union | undefined;
  /** The last set is not in force as a whole yet. */
  reform: Reform | undefined;
  /** Every endpoint that is not forgotten, by address. */
  readonly endpoints: Map<string, Endpoint>;
  /** The endpoints by index; gaps are listed in `freeIndexes`. */
  readonly byIndex: (Endpoint | undefined)[];
  readonly freeIndexes: number[];
  /** Those that may be chosen: available, or failed and due for a probe. */
  live: Lots;
  /** Those that sit out a penalty. */
  aside: Lots;
  /** Everybody without an endpoint, oldest first. */
  readonly waiters: Table<number, Waiter>;
  /** Of these, those without a dial, in the order in which they joined the line. */
  readonly parked: Table<number, Waiter>;
  readonly dials: Table<number, Dial>;
  /** Connected and unused, oldest first. */
  readonly spares: Table<number, Dial>;
  sparesDialing: number;
  nextDial: number;
  budget: RetryBudget;
  /** All that falls due. */
  readonly due: DueQueue<Endpoint | Waiter | Dial | Chore>;
  /** Paces the tries at endpoints that all sit out a penalty. */
  readonly panic: Chore;
  /** Until then an outage has just ended, and who waited it out is seated a few at a time. */
  calmUntil: number;
  /** Paces their seating. */
  readonly calm: Chore;
  /** Paces the replacement of spares. */
  readonly refill: Chore;
  /** Paces the change to a large set. */
  readonly slice: Chore;
  /** The name is being let go: no more spares. */
  released: boolean;
}

const makeChore = (kind: Chore['kind']): Chore => ({ kind, misses: 0, due: 0, slot: -1 });

/** An endpoint that is new: nothing is known of it. */
export const makeEndpoint = (
  { address, weight }: WeightedAddress,
  index: number,
  seenIn: number,
): Endpoint => ({
  // The fields that a decision reads stand first, together.
  dialing: 0,
  open: 0,
  index,
  state: 'available',
  kind: 'endpoint',
  address,
  weight,
  seenIn,
  failures: 0,
  penalties: 0,
  failedAt: 0,
  penaltyUntil: 0,
  probe: undefined,
  latencyMs: undefined,
  latencyAt: 0,
  bytesPerSec: 0,
  ratedAt: 0,
  due: 0,
  slot: -1,
});

/** A connection that has just come. */
export const makeWaiter = (conn: number, deadline: number): Waiter => ({
  kind: 'waiter',
  conn,
  deadline,
  dial: undefined,
  tried: [],
  attempts: 0,
  detail: undefined,
  due: 0,
  slot: -1,
});

/** A dial that begins. */
export const makeDial = (
  id: number,
  endpoint: Endpoint,
  waiter: Waiter | undefined,
  since: number,
): Dial => ({ kind: 'dial', id, endpoint, phase: 'dialing', waiter, since, due: 0, slot: -1 });

/** The load balancer that a policy names. */
export const balancerOf = (
  { loadBalancer }: ClientPolicy,
  make: MakeLoadBalancer,
): LoadBalancer | undefined => (loadBalancer.kind === 'custom' ? make(loadBalancer) : undefined);

const byPowerOfTwo: MakeLoadBalancer = () => () => undefined;

/**
 * A balancer that knows nothing yet. `seed` in [0, 1) fixes every draw that it will make. Without `makeBalancer` load
 * balancers of plugins leave all to `p2c`.
 */
export const makeState = (
  policy: ClientPolicy,
  seed: number,
  makeBalancer: MakeLoadBalancer = byPowerOfTwo,
): State => ({
  policy,
  makeBalancer,
  balancer: balancerOf(policy, makeBalancer),
  choices: 0,
  at: 0,
  sampledAt: 0,
  dice: makeDice(seed),
  resolution: 'pending',
  stale: false,
  resolvedAt: undefined,
  sets: 0,
  union: undefined,
  reform: undefined,
  endpoints: new Map(),
  byIndex: [],
  freeIndexes: [],
  live: new Lots(),
  aside: new Lots(),
  waiters: new Table(),
  parked: new Table(),
  dials: new Table(),
  spares: new Table(),
  sparesDialing: 0,
  nextDial: 0,
  budget: new RetryBudget(policy.requeueBudget),
  due: new DueQueue(),
  panic: makeChore('panic'),
  calmUntil: 0,
  calm: makeChore('calm'),
  refill: makeChore('refill'),
  slice: makeChore('slice'),
  released: false,
});

/** Streams, dials and spares that an endpoint carries. */
export const load = (endpoint: Endpoint): number => endpoint.dialing + endpoint.open;
