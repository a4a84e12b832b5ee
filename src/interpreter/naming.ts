/** All that can be asked of a dtab and its namers: what routers need of it, and what `namerd` serves. */
import type { Observable } from 'rxjs';
import type { Delegation } from '../dtab/delegation.ts';
import type { Dtab } from '../dtab/dtab.ts';
import type { NameTree } from '../dtab/name-tree.ts';
import type { Path } from '../path.ts';
import type { Addr, Bound } from './namers/namer.ts';

/** What a name is bound to at one moment: no `alt`, and a union of what is left of it. */
export type BoundTree =
  | { readonly t: 'ok'; readonly tree: NameTree<Bound> }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

/**
 * Names by a dtab. Cold Observables: subscribing begins, unsubscribing ends. What several ask for at one time is
 * observed once. Errors: none. Ends: never.
 */
export interface Naming {
  /** Follows what a name is bound to while the dtab changes; equal trees in a row are told once. */
  readonly bind: (dtab$: Observable<Dtab>, path: Path) => Observable<BoundTree>;
  /** Follows the addresses of a concrete name (`/#/…` or `/$/…`); one that no namer knows is `neg`. */
  readonly addr: (id: Path) => Observable<Addr>;
  /** Follows how a name is delegated: every branch is shown, also those that do not count. */
  readonly delegate: (dtab: Dtab, path: Path) => Observable<Delegation<Bound>>;
}
