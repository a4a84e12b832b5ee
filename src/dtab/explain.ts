/** Every step of a name’s delegation, also those that do not count. Pure. */
import type { Path } from '../path.ts';
import type { Delegation } from './delegation.ts';
import type { Dentry, Dtab } from './dtab.ts';
import type { Ask, Known } from './evaluate.ts';
import { joined, matches } from './index-of.ts';
import type { NameTree } from './name-tree.ts';
import { showPrefix, showTreeShort } from './print.ts';
import { type Down, Work, within } from './work.ts';

/** Most characters of names and rules in one explanation: each step tells its own. */
export const MOST_TEXT = 4 * 2 ** 20;

const TOO_FAR = 'Max recursion level reached.';

/** What a leaf of the explanation is known by. */
type Named = { readonly id: Path };

type Rule = NonNullable<Delegation<Named>['dentry']>;

/** Where a step comes from. */
interface From extends Down {
  readonly path: Path;
  readonly dentry?: Dentry | undefined;
  /** Behind each path of a tree: empty, or led by a slash. */
  readonly rest: string;
}

class Explanation<L extends Named> {
  readonly #dtab: Dtab;
  readonly #ask: Ask<L>;
  readonly #work = new Work();
  readonly #rules = new Map<Dentry, Rule>();
  #text = 0;

  constructor(dtab: Dtab, ask: Ask<L>) {
    this.#dtab = dtab;
    this.#ask = ask;
  }

  name(from: From): Delegation<L> {
    const step = this.#stepOf(from);
    if (this.#work.lookUp(from.path, from) !== undefined || this.#isOver)
      return { t: 'exception', ...step, message: TOO_FAR };
    const { rules, steps } = matches(this.#dtab, from.path);
    const [first] = rules;
    if (this.#work.step(steps, from) !== undefined)
      return { t: 'exception', ...step, message: TOO_FAR };
    if (first === undefined || (rules.length === 1 && first.dentry.dst.t === 'neg'))
      return this.#asked({ ...from, rest: '' }, this.#ask(from.path));
    const trees = this.#each(rules, ({ dentry, rest }) =>
      this.#tree({ ...from, dentry, rest }, dentry.dst),
    );
    const [only] = trees;
    return rules.length === 1 && only !== undefined
      ? { t: 'delegate', ...step, tree: only }
      : { t: 'alt', ...step, trees };
  }

  get #isOver(): boolean {
    return this.#work.isOver || this.#text > MOST_TEXT;
  }

  /** What is behind the step that went too far is left out. */
  #each<T, R>(all: readonly T[], make: (one: T) => R): readonly R[] {
    const made: R[] = [];
    for (const one of all) {
      made.push(make(one));
      if (this.#isOver) break;
    }
    return made;
  }

  #stepOf({ path, dentry }: From): { readonly path: Path; readonly dentry?: Rule } {
    this.#text += path.length;
    if (dentry === undefined) return { path };
    const rule = this.#rules.get(dentry) ?? {
      prefix: showPrefix(dentry),
      dst: showTreeShort(dentry.dst),
    };
    this.#rules.set(dentry, rule);
    this.#text += rule.prefix.length + rule.dst.length;
    return { path, dentry: rule };
  }

  #asked(from: From, known: Known<L | Path>): Delegation<L> {
    if (known.t === 'pending') return { t: 'pending', ...this.#stepOf(from) };
    if (known.t === 'failed')
      return { t: 'exception', ...this.#stepOf(from), message: known.cause };
    return this.#tree(from, known.tree);
  }

  /** `from` names the rule that led here; a path below it is a step of its own. */
  #tree(from: From, tree: NameTree<L | Path>): Delegation<L> {
    const tooMany = this.#work.step(1, from) !== undefined;
    if (tree.t === 'leaf' && typeof tree.value === 'string')
      return this.name({
        ...from,
        path: joined(tree.value, from.rest),
        depth: from.depth + 1,
        level: from.level + 1,
      });
    const step = this.#stepOf(from);
    if (tooMany || this.#isOver) return { t: 'exception', ...step, message: TOO_FAR };
    switch (tree.t) {
      case 'leaf': {
        const bound = tree.value as L;
        return { t: 'leaf', ...step, path: bound.id, bound };
      }
      case 'alt':
        return {
          t: 'alt',
          ...step,
          trees: this.#each(tree.trees, (one) => this.#tree(within(from), one)),
        };
      case 'union': {
        const branches = this.#each(tree.branches, ({ weight, tree: one }) => ({
          weight,
          tree: this.#tree(within(from), one),
        }));
        return { t: 'union', ...step, branches };
      }
      default:
        return { t: tree.t, ...step };
    }
  }
}

/** Explains a canonical name. Bounds: those of `Work`, and `MOST_TEXT`; what is beyond them is one `exception`. */
export const explain = <L extends Named>(dtab: Dtab, path: Path, ask: Ask<L>): Delegation<L> =>
  new Explanation(dtab, ask).name({ path, rest: '', depth: 0, level: 0 });
