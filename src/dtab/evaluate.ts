/** What a name is bound to, by a dtab and by what is known of the names that it leads to. Pure. */
import type { Path } from '../path.ts';
import type { Dtab } from './dtab.ts';
import { matches } from './index-of.ts';
import { type Branch, type NameTree, NEG } from './name-tree.ts';

/** Most look-ups in a row, from the name that is asked for to the namer that knows it. */
export const MOST_DEPTH = 100;

/** Most look-ups for one name, over all branches: a union that doubles itself would never end. */
export const MOST_LOOKUPS = 1000;

/** What is known of something: trees of `L`, whatever stands for a concrete name. */
export type Known<L> =
  | { readonly t: 'ok'; readonly tree: NameTree<L> }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

/** What namers say of a name that no rule applies to; leaves that are paths are looked up again. */
export type Ask<L> = (path: Path) => Known<L | Path>;

const ok = <L>(tree: NameTree<L>): Known<L> => ({ t: 'ok', tree });

/** One name, from the look-up to its tree. */
class Evaluation<L extends object> {
  readonly #dtab: Dtab;
  readonly #ask: Ask<L>;
  #lookups = 0;

  constructor(dtab: Dtab, ask: Ask<L>) {
    this.#dtab = dtab;
    this.#ask = ask;
  }

  name(path: Path, depth: number): Known<L> {
    if (depth >= MOST_DEPTH)
      return {
        t: 'failed',
        cause: `Max recursion level: ${MOST_DEPTH} reached in Namer lookup`,
      };
    this.#lookups += 1;
    if (this.#lookups > MOST_LOOKUPS)
      return { t: 'failed', cause: `expected at most ${MOST_LOOKUPS} look-ups, got more` };
    const found = matches(this.#dtab, path).map(({ tree }) => tree);
    const [only] = found;
    // A single rule that says `~` is as good as none.
    if (only === undefined || (found.length === 1 && only.t === 'neg'))
      return this.#asked(this.#ask(path), depth);
    return this.#alt(found, depth);
  }

  #asked(known: Known<L | Path>, depth: number): Known<L> {
    return known.t === 'ok' ? this.#tree(known.tree, depth) : known;
  }

  #tree(tree: NameTree<L | Path>, depth: number): Known<L> {
    switch (tree.t) {
      case 'leaf': {
        const { value } = tree;
        return typeof value === 'string'
          ? this.name(value, depth + 1)
          : ok<L>({ t: 'leaf', value: value as L });
      }
      case 'alt':
        return this.#alt(tree.trees, depth);
      case 'union':
        return this.#union(tree.branches, depth);
      default:
        return ok<L>(tree);
    }
  }

  /** The first that is not `neg`, whatever it is. */
  #alt(trees: readonly NameTree<L | Path>[], depth: number): Known<L> {
    for (const tree of trees) {
      const known = this.#tree(tree, depth);
      if (known.t !== 'ok' || known.tree.t !== 'neg') return known;
    }
    return ok<L>(NEG);
  }

  /**
   * What is left without `neg` and `fail`. What cannot be had, or not yet, is left out once something is there; with
   * nothing there it decides, since nobody knows yet that the name does not exist.
   */
  #union(branches: readonly Branch<L | Path>[], depth: number): Known<L> {
    const left: Branch<L>[] = [];
    let doubt: Known<L> | undefined;
    for (const { weight, tree } of branches) {
      const known = this.#tree(tree, depth);
      if (known.t === 'ok') {
        if (known.tree.t !== 'neg' && known.tree.t !== 'fail')
          left.push({ weight, tree: known.tree });
      } else if (doubt === undefined || (doubt.t === 'pending' && known.t === 'failed'))
        doubt = known;
    }
    const [first] = left;
    if (first === undefined) return doubt ?? ok<L>(NEG);
    return ok(left.length === 1 ? first.tree : { t: 'union', branches: left });
  }
}

/**
 * Binds a canonical name. The result has no `alt`, and unions of at least two branches.
 * Bounds: 100 look-ups in a row, 1000 in all; beyond that it failed. Source: Finagle’s Namer.bind.
 */
export const evaluate = <L extends object>(dtab: Dtab, path: Path, ask: Ask<L>): Known<L> =>
  new Evaluation(dtab, ask).name(path, 0);
