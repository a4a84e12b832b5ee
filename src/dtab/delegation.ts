/** How a name is delegated, step by step. Pure data. */
import type { Path } from '../path.ts';

/** What every step has. */
interface Step {
  /** The name at this step; for a leaf its id. */
  readonly path: Path;
  /** The rule that led here, as text; absent for the name that was asked for. */
  readonly dentry?: { readonly prefix: string; readonly dst: string };
}

/** What became of one name; `L` is what stands for a concrete one. */
export type Delegation<L> =
  /** One rule applied. */
  | ({ readonly t: 'delegate'; readonly tree: Delegation<L> } & Step)
  /** Several rules applied, or one with alternatives; preferred ones first. All are shown, also behind the one that counts. */
  | ({ readonly t: 'alt'; readonly trees: readonly Delegation<L>[] } & Step)
  | ({
      readonly t: 'union';
      readonly branches: readonly { readonly weight: number; readonly tree: Delegation<L> }[];
    } & Step)
  | ({ readonly t: 'leaf'; readonly bound: L } & Step)
  /** Nothing leads on: `neg`, `fail` and `empty` as in a tree of names; `pending`: a namer has not answered yet. */
  | ({ readonly t: 'neg' | 'fail' | 'empty' | 'pending' } & Step)
  /** It could not be found out. */
  | ({ readonly t: 'exception'; readonly message: string } & Step);
