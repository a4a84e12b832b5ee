/** The port through which the names of one system (files, DNS, Consul, …) become addresses. */
import type { Observable } from 'rxjs';
import type { WeightedAddress } from '../../address.ts';
import type { NameTree } from '../../dtab/name-tree.ts';
import type { Path } from '../../path.ts';

/** Whatever a namer knows beyond what is dialed: plain data, shown by `namerd` and `/delegator.json`. */
export type Meta = Readonly<Record<string, unknown>>;

/** An address with what its namer knows of it. */
export interface NamedAddress extends WeightedAddress {
  /** As namerd shows it; `endpoint_addr_weight` where a weight was given. Absent: `{}`. */
  readonly meta?: Meta;
}

/** The addresses behind a concrete name, at one moment. */
export type Addr =
  /** It exists. May be empty: nobody is home. Each address once. */
  | { readonly t: 'bound'; readonly endpoints: readonly NamedAddress[]; readonly meta?: Meta }
  /** It does not exist (any more). */
  | { readonly t: 'neg' }
  /** Nothing is known yet. */
  | { readonly t: 'pending' }
  /** It cannot be had now; whoever has a good set keeps it. */
  | { readonly t: 'failed'; readonly cause: string };

/** A concrete name: where addresses come from. */
export interface Bound {
  /** What tells it from all others: `/#/io.l5d.fs/web`. Equal ids have equal addresses, and are observed once. */
  readonly id: Path;
  /** What of the name was not used: `/`, or `/more`. */
  readonly residual: Path;
  /**
   * Cold; subscribing begins to watch, unsubscribing ends it. Tells what is known at once if it can.
   * Errors: none meant, one counts as `failed`. Ends: never by itself; the end of it counts as nothing.
   */
  readonly addr$: Observable<Addr>;
}

/** What a namer knows of a name at one moment. */
export type Binding =
  /** Leaves are concrete names, or paths that are to be looked up in the dtab again. */
  | { readonly t: 'ok'; readonly tree: NameTree<Bound | Path> }
  | { readonly t: 'pending' }
  /** It cannot be had now; whoever has a good tree keeps it. */
  | { readonly t: 'failed'; readonly cause: string };

/**
 * Looks up what of a name stands behind the namer’s prefix (`/web/more` of `/#/io.l5d.fs/web/more`).
 * Cold: subscribing begins the look-up, unsubscribing ends it and frees all it held. Unknown names are `neg`.
 * Errors: none meant, one counts as `failed`. Ends: never by itself; the end of it counts as nothing.
 */
export type Namer = (path: Path) => Observable<Binding>;
