/** What a name may stand for: one thing, several in order of preference, several by weight, or nothing. Pure. */

/** A part of a union. */
export interface Branch<T> {
  /** Raw: finite, at least 0; its share is what it is among its siblings’. */
  readonly weight: number;
  readonly tree: NameTree<T>;
}

/** A tree of names. Source: Finagle’s NameTree. */
export type NameTree<T> =
  | {
      readonly t: 'leaf';
      readonly value: T;
      /** Of its branch, where it is all that was left of a union. */
      readonly weight?: number;
    }
  /** The first that is not `neg` counts. */
  | { readonly t: 'alt'; readonly trees: readonly NameTree<T>[] }
  /** All count, each by its weight. */
  | { readonly t: 'union'; readonly branches: readonly Branch<T>[] }
  /** `~`: it does not exist; alternatives are tried. */
  | { readonly t: 'neg' }
  /** `!`: it does not exist; no alternative is tried. */
  | { readonly t: 'fail' }
  /** `$`: it exists, and nobody is home. */
  | { readonly t: 'empty' };

/** The weight of a branch that none is written for. */
export const DEFAULT_WEIGHT = 1;

/** A tree of one thing. */
export const leaf = <T>(value: T): NameTree<T> => ({ t: 'leaf', value });

/** It does not exist. */
export const NEG: NameTree<never> = { t: 'neg' };

/** It does not exist, and nothing else is to be tried. */
export const FAIL: NameTree<never> = { t: 'fail' };

/** It exists, and nobody is home. */
export const EMPTY: NameTree<never> = { t: 'empty' };

/** The same tree of other things. */
export const mapTree = <T, U>(tree: NameTree<T>, change: (value: T) => U): NameTree<U> => {
  switch (tree.t) {
    case 'leaf':
      return { ...tree, value: change(tree.value) };
    case 'alt':
      return { t: 'alt', trees: tree.trees.map((one) => mapTree(one, change)) };
    case 'union':
      return {
        t: 'union',
        branches: tree.branches.map(({ weight, tree: one }) => ({
          weight,
          tree: mapTree(one, change),
        })),
      };
    default:
      return tree;
  }
};

/** Everything in a tree, from left to right. */
export const leaves = <T>(tree: NameTree<T>): readonly T[] => {
  switch (tree.t) {
    case 'leaf':
      return [tree.value];
    case 'alt':
      return tree.trees.flatMap(leaves);
    case 'union':
      return tree.branches.flatMap((branch) => leaves(branch.tree));
    default:
      return [];
  }
};
