/** The port through which names become addresses. */
import type { Observable } from 'rxjs';
import type { WeightedAddress } from '../address.ts';
import type { Path } from '../path.ts';

/** Endpoints that are balanced together. */
export interface EndpointSet {
  readonly t: 'set';
  /** The concrete name that they are of: `/#/io.l5d.fs/web`. */
  readonly id: string;
  readonly endpoints: readonly WeightedAddress[];
}

/** Parts that connections are divided among by weight, before an endpoint is chosen. */
export interface Union {
  readonly t: 'union';
  /** At least two; weights are raw. */
  readonly branches: readonly { readonly weight: number; readonly part: Part }[];
}

/** A part of a union. An address may be in several: it is one endpoint. */
export type Part = EndpointSet | Union;

/** What is known of a name at one moment. */
export type Resolution =
  /** The name exists; its endpoints replace the former set. May be empty: nobody is home. */
  | {
      readonly t: 'bound';
      /** All, each address once; without `union`, balanced together. */
      readonly endpoints: readonly WeightedAddress[];
      readonly union?: Union;
    }
  /** The name does not exist. */
  | { readonly t: 'neg' }
  /** What was said last of `bound` and `neg` has been said again. */
  | { readonly t: 'confirmed' }
  /** Nothing is known yet. */
  | { readonly t: 'pending' }
  /** The look-up failed; whoever has a good set keeps it and calls it stale. */
  | { readonly t: 'failed'; readonly cause: string };

/** What one look-up can say. */
export type Said = Exclude<Resolution, { t: 'confirmed' }>;

/**
 * Resolves names. `resolve` gives a cold Observable: subscribing starts the look-up, unsubscribing ends
 * it and frees all it held.
 * Errors: never; a failure is a `failed` value. Ends: never by itself.
 */
export interface Interpreter {
  readonly resolve: (name: Path) => Observable<Resolution>;
}
