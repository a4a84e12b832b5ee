/** Delegation tables: rules by which names become other names. Pure. */
import type { Path } from '../path.ts';
import type { NameTree } from './name-tree.ts';

/** One rule: names that start with `prefix` become `dst`, followed by the rest of them. */
export interface Dentry {
  /** Segments as in a name, or `*` for any one; none: `/`, which all names start with. */
  readonly prefix: readonly string[];
  readonly dst: NameTree<Path>;
}

/** Rules in the order of the text; later ones are preferred. */
export type Dtab = readonly Dentry[];
