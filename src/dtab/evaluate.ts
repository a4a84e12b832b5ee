/** What a name is bound to, by a dtab and by what is known of the names that it leads to. Pure. */
import type { Path } from '../path.ts';
import type { Dtab } from './dtab.ts';
import { joined, matches } from './index-of.ts';
import { type Branch, type NameTree, NEG } from './name-tree.ts';
import { type Down, Work, within } from './work.ts';

/** What is known of something: trees of `L`, whatever stands for a concrete name. */
export type Known<L> =
  | { readonly t: 'ok'; readonly tree: NameTree<L> }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

/** What namers say of a name that no rule applies to; leaves that are paths are looked up again. */
export type Ask<L> = (path: Path) => Known<L | Path>;

const ok = <L>(tree: NameTree<L>): Known<L> => ({ t: 'ok', tree });

const failed = (cause: string): { readonly t: 'failed'; readonly cause: string } => ({
  t: 'failed',
  cause,
});

/** A branch that is all that is left. What is below a union has the weight of the innermost one. */
const alone = <L>({ weight, tree }: Branch<L>): NameTree<L> =>
  tree.t === 'leaf' ? { weight, ...tree } : tree;

/** Where in a look-up a tree stands. */
interface At extends Down {
  /** Behind each of its paths: empty, or led by a slash. */
  readonly rest: string;
}

/** One name, from the look-up to its tree. */
class Evaluation<L extends object> {
  readonly #dtab: Dtab;
  readonly #ask: Ask<L>;
  readonly #work = new Work();

  constructor(dtab: Dtab, ask: Ask<L>) {
    this.#dtab = dtab;
    this.#ask = ask;
  }

  name(path: Path, down: Down): Known<L> {
    const refused = this.#work.lookUp(path, down);
    if (refused !== undefined) return failed(refused);
    const { rules, steps } = matches(this.#dtab, path);
    const tooMany = this.#work.step(steps, down);
    if (tooMany !== undefined) return failed(tooMany);
    const [only] = rules;
    // A single rule that says `~` is as good as none.
    if (only === undefined || (rules.length === 1 && only.dentry.dst.t === 'neg'))
      return this.#asked(this.#ask(path), down);
    return this.#alt(rules, ({ dentry, rest }) => this.#tree(dentry.dst, { ...down, rest }));
  }

  #asked(known: Known<L | Path>, down: Down): Known<L> {
    return known.t === 'ok' ? this.#tree(known.tree, { ...down, rest: '' }) : known;
  }

  #tree(tree: NameTree<L | Path>, at: At): Known<L> {
    const tooMany = this.#work.step(1, at);
    if (tooMany !== undefined) return failed(tooMany);
    switch (tree.t) {
      case 'leaf': {
        const { value } = tree;
        return typeof value === 'string'
          ? this.name(joined(value, at.rest), { depth: at.depth + 1, level: at.level + 1 })
          : ok<L>({ t: 'leaf', value: value as L });
      }
      case 'alt':
        return this.#alt(tree.trees, (one) => this.#tree(one, within(at)));
      case 'union':
        return this.#union(tree.branches, within(at));
      default:
        return ok<L>(tree);
    }
  }

  /** The first that is not `neg`, whatever it is. */
  #alt<T>(all: readonly T[], bind: (one: T) => Known<L>): Known<L> {
    for (const one of all) {
      const known = bind(one);
      if (known.t !== 'ok' || known.tree.t !== 'neg') return known;
    }
    return ok<L>(NEG);
  }

  /**
   * What is left without `neg` and `fail`. What cannot be had, or not yet, is left out once something is there; with
   * nothing there it decides, since nobody knows yet that the name does not exist.
   */
  #union(branches: readonly Branch<L | Path>[], at: At): Known<L> {
    const left: Branch<L>[] = [];
    let doubt: Known<L> | undefined;
    for (const { weight, tree } of branches) {
      const known = this.#tree(tree, at);
      if (known.t === 'ok') {
        if (known.tree.t !== 'neg' && known.tree.t !== 'fail')
          left.push({ weight, tree: known.tree });
      } else if (doubt === undefined || (doubt.t === 'pending' && known.t === 'failed'))
        doubt = known;
      if (this.#work.isOver) break;
    }
    const [first] = left;
    if (first === undefined) return doubt ?? ok<L>(NEG);
    return ok(left.length === 1 ? alone(first) : { t: 'union', branches: left });
  }
}

/**
 * Binds a canonical name. The result has no `alt`, and unions of at least two branches.
 * Bounds: those of `Work`; beyond them it failed, but for what was found of a union by then. Source: Finagle’s Namer.bind.
 */
export const evaluate = <L extends object>(dtab: Dtab, path: Path, ask: Ask<L>): Known<L> =>
  new Evaluation(dtab, ask).name(path, { depth: 0, level: 0 });
