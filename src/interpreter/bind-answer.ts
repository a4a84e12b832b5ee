/** namerd’s JSON for what a name is bound to, read tolerantly. Pure. */
import { EMPTY, FAIL, leaf, type NameTree, NEG } from '../dtab/name-tree.ts';
import { showTree } from '../dtab/print.ts';
import { canonicalPath } from '../dtab/segment.ts';
import type { Path } from '../path.ts';
import { failure, type Parse } from './answer.ts';
import { excerpt, excerptOf } from './excerpt.ts';

/** What a name is bound to: a tree of the ids of concrete names. */
export type BoundIds =
  | { readonly t: 'bound'; readonly tree: NameTree<Path> }
  | { readonly t: 'neg' };

/** Deepest nesting, and most concrete names, of a tree that is taken. */
const MOST_DEPTH = 100;
const MOST_LEAVES = 1000;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Thrown within the reading and caught at its border. */
class Flaw extends Error {}

const asList = (value: unknown, what: string): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw new Flaw(`expected a list of ${what}, got ${excerptOf(value)}`);
};

class Reading {
  #leaves = 0;

  read(json: unknown, depth = 0): NameTree<Path> {
    if (depth > MOST_DEPTH) throw new Flaw(`expected at most ${MOST_DEPTH} levels, got more`);
    const { type, bound, alt, union } = isRecord(json) ? json : {};
    switch (type) {
      case 'leaf':
        return this.#leaf(isRecord(bound) ? bound['id'] : undefined);
      case 'alt': {
        const trees = asList(alt, 'alternatives').map((one) => this.read(one, depth + 1));
        return trees.find((tree) => tree.t !== 'neg') ?? NEG;
      }
      case 'union':
        return this.#union(asList(union, 'branches'), depth + 1);
      case 'neg':
        return NEG;
      case 'fail':
        return FAIL;
      case 'empty':
        return EMPTY;
      default:
        throw new Flaw(`expected a tree of names, got ${excerptOf(json)}`);
    }
  }

  #leaf(id: unknown): NameTree<Path> {
    this.#leaves += 1;
    if (this.#leaves > MOST_LEAVES)
      throw new Flaw(`expected at most ${MOST_LEAVES} leaves, got more`);
    if (typeof id === 'string' && id.startsWith('/')) return leaf(canonicalPath(id as Path));
    throw new Flaw('expected "bound" with an "id", got none');
  }

  #union(branches: readonly unknown[], depth: number): NameTree<Path> {
    const all = branches.map((branch) => {
      const { weight, tree } = isRecord(branch) ? branch : {};
      if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0)
        throw new Flaw(`expected a weight of at least 0, got ${excerpt(String(weight))}`);
      return { weight, tree: this.read(tree, depth) };
    });
    const [only] = all;
    return only !== undefined && all.length === 1 ? only.tree : { t: 'union', branches: all };
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Reads one line of a watch of `/bind`, or the body of a poll. Bounds: 100 levels, 1000 leaves. */
export const parseBound: Parse<BoundIds> = (known) => {
  if ('flaw' in known) return failure(known.flaw);
  try {
    const tree = new Reading().read(known.json);
    // As with addresses: what has failed for good does not exist.
    const isNone = tree.t === 'neg' || tree.t === 'fail';
    return { resolution: isNone ? { t: 'neg' } : { t: 'bound', tree }, flaws: [] };
  } catch (error) {
    return failure(`namerd: ${messageOf(error)}`);
  }
};

/** Compares what names are bound to. */
export const isSameTree = (one: BoundIds | undefined, other: BoundIds): boolean =>
  one?.t === 'bound' && other.t === 'bound'
    ? showTree(one.tree) === showTree(other.tree)
    : one?.t === other.t;
