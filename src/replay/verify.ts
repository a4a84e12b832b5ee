/** Steps the balancers of a recording again, and compares what they decide with what they decided. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { freeze } from '../balancer/freeze.ts';
import type { FrozenPolicy, FrozenState } from '../balancer/frozen.ts';
import {
  type FrozenCommand,
  type FrozenEvent,
  freezeCommand,
  thawEvent,
} from '../balancer/frozen-messages.ts';
import type { MakeLoadBalancer } from '../balancer/load-balancer.ts';
import type { State } from '../balancer/state.ts';
import { step } from '../balancer/step.ts';
import { thaw } from '../balancer/thaw.ts';
import type { Line } from '../recorder/lines.ts';

/** An event after which another decision came out. */
export interface Difference {
  readonly core: number;
  readonly rt: string;
  readonly dst: string;
  /** Absent: what a balancer knew is another thing than what it would know. */
  readonly event?: FrozenEvent;
  readonly at: number;
  readonly recorded: readonly FrozenCommand[];
  readonly replayed: readonly FrozenCommand[];
  /** It cannot be decided again: no balancer can have been told that. */
  readonly error?: string;
}

/** What came of it. */
export interface Verdict {
  readonly names: number;
  readonly events: number;
  readonly decisions: number;
  /** Events from before anything was known of their name: the oldest ones. */
  readonly skipped: number;
  readonly connections: number;
  /** Load balancers of plugins that are not known here; names that choose by them were not followed. */
  readonly unknown: ReadonlySet<string>;
  /** The first ones; `differing` counts all. */
  readonly differences: readonly Difference[];
  readonly differing: number;
}

const MOST_DIFFERENCES = 20;

interface Name {
  readonly rt: string;
  readonly dst: string;
  /** `undefined`: it went another way, and is followed again from its next checkpoint on. */
  state: State | undefined;
}

/** Knows load balancers of plugins by their kinds. */
export interface Balancers {
  readonly has: (kind: string) => boolean;
  readonly make: MakeLoadBalancer;
}

const NO_BALANCERS: Balancers = { has: () => false, make: () => () => undefined };

/** As JSON has them: what is undefined is absent, and what is infinite is null. */
const isSame = (a: FrozenState, b: FrozenState): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));

/** Takes the lines of a recording, in order. */
export class Verifier {
  readonly #balancers: Balancers;
  readonly #unknown = new Set<string>();
  readonly #names = new Map<number, Name>();
  readonly #differences: Difference[] = [];
  #core = 0;
  readonly #seen = new Set<string>();
  #events = 0;
  #decisions = 0;
  #skipped = 0;
  #connections = 0;
  #differing = 0;

  constructor(balancers: Balancers = NO_BALANCERS) {
    this.#balancers = balancers;
  }

  take(line: Line): void {
    switch (line.t) {
      case 'core':
        this.#core = line.core;
        this.#names.clear();
        break;
      case 'checkpoint':
        this.#checkpoint(line);
        break;
      case 'step':
        this.#step(line);
        break;
      case 'gone':
        this.#names.delete(line.name);
        break;
      case 'envelope':
        this.#connections += 1;
        break;
      default:
        break;
    }
  }

  verdict(): Verdict {
    return {
      names: this.#seen.size,
      events: this.#events,
      decisions: this.#decisions,
      skipped: this.#skipped,
      connections: this.#connections,
      unknown: this.#unknown,
      differences: this.#differences,
      differing: this.#differing,
    };
  }

  /** What a balancer knows must be what it would know by now. */
  #checkpoint({ name, rt, dst, state }: Extract<Line, { t: 'checkpoint' }>): void {
    const known = this.#names.get(name);
    this.#seen.add(JSON.stringify([rt, dst]));
    if (known?.state !== undefined && !isSame(freeze(known.state), state))
      this.#differ({ rt, dst, at: state.at, recorded: [], replayed: [] });
    this.#names.set(name, { rt, dst, state: this.#thaw({ rt, dst }, state) });
  }

  /** `undefined`: it is not followed. */
  #thaw(of: Pick<Name, 'rt' | 'dst'>, state: FrozenState): State | undefined {
    if (!this.#knows(state.policy)) return undefined;
    try {
      return thaw(state, this.#balancers.make);
    } catch (error) {
      this.#differ({ ...of, at: state.at, recorded: [], replayed: [], error: String(error) });
      return undefined;
    }
  }

  #step({ name, event, commands }: Extract<Line, { t: 'step' }>): void {
    const known = this.#names.get(name);
    if (event.t === 'configured' && known !== undefined && !this.#knows(event.policy))
      known.state = undefined;
    if (known?.state === undefined) {
      this.#skipped += 1;
      return;
    }
    this.#events += 1;
    this.#decisions += commands.length;
    const { rt, dst, state } = known;
    const common = { rt, dst, event, at: event.at, recorded: commands };
    try {
      const replayed = step(state, thawEvent(event)).map(freezeCommand);
      if (isDeepStrictEqual(replayed, commands)) return;
      this.#differ({ ...common, replayed });
    } catch (error) {
      this.#differ({ ...common, replayed: [], error: String(error) });
    }
    known.state = undefined;
  }

  #knows({ loadBalancer }: FrozenPolicy): boolean {
    if (loadBalancer.kind !== 'custom' || this.#balancers.has(loadBalancer.by)) return true;
    this.#unknown.add(loadBalancer.by);
    return false;
  }

  #differ(difference: Omit<Difference, 'core'>): void {
    this.#differing += 1;
    if (this.#differences.length < MOST_DIFFERENCES)
      this.#differences.push({ core: this.#core, ...difference });
  }
}
