/** Every step of a name’s delegation, also those that do not count. Pure. */
import type { Path } from '../path.ts';
import type { Delegation } from './delegation.ts';
import type { Dentry, Dtab } from './dtab.ts';
import { type Ask, type Known, MOST_DEPTH, MOST_LOOKUPS } from './evaluate.ts';
import { matches } from './index-of.ts';
import type { NameTree } from './name-tree.ts';
import { showPrefix, showTreeShort } from './print.ts';

/** What a leaf of the explanation is known by. */
type Named = { readonly id: Path };

/** Where a step comes from. */
interface From {
  readonly path: Path;
  readonly dentry?: Dentry | undefined;
  readonly depth: number;
}

const stepOf = ({ path, dentry }: From) => ({
  path,
  ...(dentry && { dentry: { prefix: showPrefix(dentry), dst: showTreeShort(dentry.dst) } }),
});

class Explanation<L extends Named> {
  readonly #dtab: Dtab;
  readonly #ask: Ask<L>;
  #steps = 0;

  constructor(dtab: Dtab, ask: Ask<L>) {
    this.#dtab = dtab;
    this.#ask = ask;
  }

  name(from: From): Delegation<L> {
    this.#steps += 1;
    if (from.depth >= MOST_DEPTH || this.#steps > MOST_LOOKUPS)
      return { t: 'exception', ...stepOf(from), message: 'Max recursion level reached.' };
    const found = matches(this.#dtab, from.path);
    const [first] = found;
    if (first === undefined || (found.length === 1 && first.tree.t === 'neg'))
      return this.#asked(from, this.#ask(from.path));
    const trees = found.map(({ dentry, tree }) => this.#tree({ ...from, dentry }, tree));
    const [only] = trees;
    return trees.length === 1 && only !== undefined
      ? { t: 'delegate', ...stepOf(from), tree: only }
      : { t: 'alt', ...stepOf(from), trees };
  }

  #asked(from: From, known: Known<L | Path>): Delegation<L> {
    if (known.t === 'pending') return { t: 'pending', ...stepOf(from) };
    if (known.t === 'failed') return { t: 'exception', ...stepOf(from), message: known.cause };
    return this.#tree(from, known.tree);
  }

  /** `from` names the rule that led here; a path below it is a step of its own. */
  #tree(from: From, tree: NameTree<L | Path>): Delegation<L> {
    switch (tree.t) {
      case 'leaf': {
        const { value } = tree;
        if (typeof value === 'string')
          return this.name({ ...from, path: value, depth: from.depth + 1 });
        const bound = value as L;
        return { t: 'leaf', ...stepOf({ ...from, path: bound.id }), bound };
      }
      case 'alt':
        return {
          t: 'alt',
          ...stepOf(from),
          trees: tree.trees.map((one) => this.#tree(from, one)),
        };
      case 'union': {
        const branches = tree.branches.map(({ weight, tree: one }) => ({
          weight,
          tree: this.#tree(from, one),
        }));
        return { t: 'union', ...stepOf(from), branches };
      }
      default:
        return { t: tree.t, ...stepOf(from) };
    }
  }
}

/** Explains a canonical name. Bounds: as of `evaluate`; what is beyond them is an `exception`. */
export const explain = <L extends Named>(dtab: Dtab, path: Path, ask: Ask<L>): Delegation<L> =>
  new Explanation(dtab, ask).name({ path, depth: 0 });
