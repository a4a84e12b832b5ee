/** Load balancers of plugins: what they are asked, and what they may see. Pure. */
import type { CustomBalancer } from '../config/config.ts';
import { burden } from './burden.ts';
import type { Lottery } from './lottery.ts';
import { roll } from './random.ts';
import { type Endpoint, load, type State } from './state.ts';

/** An endpoint that may be chosen, as it is now: a copy. */
export interface Candidate {
  /** Such as `10.0.0.1:5432`. */
  readonly address: string;
  /** Above 0; in a union its weight within the branch. */
  readonly weight: number;
  /** Dials in progress, streams and spares. */
  readonly connections: number;
  /** What it carries by `loadBalancer.load`: connections, bytes per second, or connections times latency. */
  readonly load: number;
}

/** Whom one connection may go to: who takes connections and has not refused this one; in a union, of the branch whose turn it is. */
export interface Pool {
  /** All of them, those that came first mostly first; at least one. O(endpoints) for the first look. */
  readonly candidates: readonly Candidate[];
  /** One by chance, in proportion to weight; `except` is left out. O(1). */
  readonly draw: (except?: Candidate) => Candidate | undefined;
  /** Uniform in [0, 1), by the balancer’s own dice: the same seed, the same numbers. */
  readonly random: () => number;
  /** Connections and retries that an endpoint was chosen for before this one, for this name. */
  readonly turn: number;
  /** Monotonic, in ms. */
  readonly at: number;
  /** Whether it is one of those that this pool has given. */
  readonly has: (candidate: Candidate) => boolean;
}

/**
 * Chooses one of the pool’s candidates; `undefined`, or what is none of them, leaves it to `p2c`. It must be pure: what it
 * needs to remember is in the pool, and what it keeps itself would be lost at a reload. Called for each dial: it must be quick.
 */
export type LoadBalancer = (pool: Pool) => Candidate | undefined;

/** Makes the load balancer that a policy names. Must not throw. */
export type MakeLoadBalancer = (config: CustomBalancer) => LoadBalancer;

/** The pool of one choice. */
class Draw implements Pool {
  readonly #s: State;
  readonly #lots: Lottery;
  readonly #given = new Map<Endpoint, Candidate>();
  readonly #endpoints = new Map<Candidate, Endpoint>();
  #all: readonly Candidate[] | undefined;

  constructor(s: State, lots: Lottery) {
    this.#s = s;
    this.#lots = lots;
  }

  get turn(): number {
    return this.#s.choices;
  }

  get at(): number {
    return this.#s.at;
  }

  get candidates(): readonly Candidate[] {
    this.#all ??= this.#s.byIndex.flatMap((endpoint) =>
      endpoint !== undefined && this.#lots.weight(endpoint.index) > 0 ? [this.#give(endpoint)] : [],
    );
    return this.#all;
  }

  readonly draw = (except?: Candidate): Candidate | undefined => {
    const { dice, byIndex } = this.#s;
    const without = except === undefined ? undefined : this.endpoint(except)?.index;
    const index = this.#lots.draw(roll(dice), dice, without);
    const endpoint = index === undefined ? undefined : byIndex[index];
    return endpoint === undefined ? undefined : this.#give(endpoint);
  };

  readonly random = (): number => roll(this.#s.dice);

  readonly has = (candidate: Candidate): boolean => this.#endpoints.has(candidate);

  endpoint(candidate: Candidate): Endpoint | undefined {
    return this.#endpoints.get(candidate);
  }

  #give(endpoint: Endpoint): Candidate {
    const known = this.#given.get(endpoint);
    if (known !== undefined) return known;
    const candidate: Candidate = {
      address: endpoint.address.text,
      weight: this.#lots.weight(endpoint.index),
      connections: load(endpoint),
      load: burden(this.#s, endpoint),
    };
    this.#given.set(endpoint, candidate);
    this.#endpoints.set(candidate, endpoint);
    return candidate;
  }
}

/** Asks the policy’s own load balancer; `undefined`: there is none, or it leaves the choice to `p2c`. */
export const ask = (s: State, lots: Lottery): Endpoint | undefined => {
  if (s.balancer === undefined || lots.total <= 0) return undefined;
  const pool = new Draw(s, lots);
  const chosen = s.balancer(pool);
  s.choices += 1;
  return chosen === undefined ? undefined : pool.endpoint(chosen);
};
