/** The port through which dtabs are kept, one for each namespace. */
import type { Observable } from 'rxjs';
import type { Dtab } from '../dtab/dtab.ts';

/** A dtab as it is stored. */
export interface StoredDtab {
  readonly dtab: Dtab;
  /** Another one with every write; compared byte by byte, and never used again. */
  readonly version: Uint8Array;
}

/** What became of a write. */
export type Outcome =
  | 'done'
  /** There is one already. */
  | 'exists'
  | 'missing'
  /** Its version is another. */
  | 'mismatch'
  | { readonly t: 'failed'; readonly cause: string };

/** Keeps dtabs. Its Observables have no errors; those of writes give one outcome and end, the others never end. */
export interface DtabStore {
  /** The namespaces, at once if they are known, and when one comes or goes. */
  readonly list$: Observable<ReadonlySet<string>>;
  /** Follows the dtab of a namespace; `undefined`: there is none. */
  readonly watch: (namespace: string) => Observable<StoredDtab | undefined>;
  /** Stores the dtab of a new namespace. */
  readonly create: (namespace: string, dtab: Dtab) => Observable<Outcome>;
  /** Stores a dtab, whatever there was. */
  readonly put: (namespace: string, dtab: Dtab) => Observable<Outcome>;
  /** Stores a dtab in place of the one of this version. */
  readonly update: (namespace: string, dtab: Dtab, version: Uint8Array) => Observable<Outcome>;
  /** Removes a namespace. */
  readonly delete: (namespace: string) => Observable<Outcome>;
}
