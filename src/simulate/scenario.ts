/** A scenario, checked: everything that it names is there, and every time is in ms. */
import type { Address } from '../address.ts';
import type { Config } from '../config/config.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { Path } from '../path.ts';
import type { Behaviour } from '../testing/network.ts';
import type { Sentence } from './expectation.ts';
import type { Mark } from './row.ts';
import type { FACTS } from './schema.ts';
import type { Range } from './units.ts';

/** Something that is so from a time on. */
export interface At<T> {
  readonly at: number;
  readonly value: T;
}

/** An endpoint with a name of its own. */
export interface Endpoint {
  readonly name: string;
  readonly address: Address;
  /** The first one holds from the beginning. */
  readonly behaviour: readonly At<Behaviour>[];
}

/** Connections that come. */
export interface Arrivals {
  /** Of the server: `routers[0].servers[0]`. */
  readonly place: string;
  /** One every so many ms, the first at `from`; or at these times. */
  readonly when: { readonly everyMs: number } | { readonly at: readonly number[] };
  readonly from: number;
  readonly until: number;
  /** An address, or a network. */
  readonly source: string;
  readonly sni?: string;
  readonly alpn: readonly string[];
  readonly lasts: Range;
  readonly patienceMs?: number;
}

/** What an operator does at a time. */
export type Command = { readonly at: number } & (
  | { readonly t: 'drain' }
  | { readonly t: 'reload'; readonly config: Config }
);

/** What happens that a row may expect. */
export type FactKind = (typeof FACTS)[number];

/** What must hold. */
export type Expectation = {
  /** As it stands in the file. */
  readonly text: string;
} & (
  | { readonly t: 'sentence'; readonly sentence: Sentence }
  | {
      readonly t: 'row';
      readonly of: FactKind;
      readonly name: Path | undefined;
      readonly marks: readonly Mark[];
      /** By letter: an endpoint’s address or name, a reason; a letter without one stands for whatever it is. */
      readonly values: ReadonlyMap<string, string>;
    }
);

/** The whole. */
export interface Scenario {
  readonly title: string;
  readonly config: Config;
  readonly durationMs: number;
  readonly seed: number;
  readonly endpoints: readonly Endpoint[];
  /** What is said of a name and when; of others `neg`. */
  readonly names: ReadonlyMap<Path, readonly At<Resolution>[]>;
  readonly arrivals: readonly Arrivals[];
  readonly commands: readonly Command[];
  readonly expectations: readonly Expectation[];
}
