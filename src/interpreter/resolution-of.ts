/** What a balancer is told of a tree of concrete names. Pure. */
import type { WeightedAddress } from '../address.ts';
import type { NameTree } from '../dtab/name-tree.ts';
import type { Part, Said } from './interpreter.ts';
import type { Addr, Bound } from './namers/namer.ts';

/** What is known of the addresses of a concrete name. */
export type AddrOf = (bound: Bound) => Addr;

type Tree =
  | { readonly t: 'part'; readonly part: Part }
  | { readonly t: 'neg' }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

const NOBODY: readonly WeightedAddress[] = [];

/** Nothing there: an error says more than a wait, and that more than nothing. */
const doubtier = (one: Tree | undefined, other: Tree): Tree =>
  one === undefined || other.t === 'failed' || (other.t === 'pending' && one.t === 'neg')
    ? one?.t === 'failed'
      ? one
      : other
    : one;

const treeOf = (tree: NameTree<Bound>, addrOf: AddrOf): Tree => {
  switch (tree.t) {
    case 'leaf': {
      const addr = addrOf(tree.value);
      if (addr.t !== 'bound') return addr;
      return { t: 'part', part: { t: 'set', id: tree.value.id, endpoints: addr.endpoints } };
    }
    case 'empty':
      return { t: 'part', part: { t: 'set', id: '$', endpoints: NOBODY } };
    case 'union': {
      const found = tree.branches.map(({ weight, tree: one }) => ({
        weight,
        tree: treeOf(one, addrOf),
      }));
      const branches = found.flatMap(({ weight, tree: one }) =>
        one.t === 'part' ? [{ weight, part: one.part }] : [],
      );
      const [only] = branches;
      if (only === undefined)
        return found.map((one) => one.tree).reduce<Tree | undefined>(doubtier, undefined) ?? NEG;
      return { t: 'part', part: branches.length === 1 ? only.part : { t: 'union', branches } };
    }
    default:
      return NEG;
  }
};

const NEG: Tree = { t: 'neg' };

/** Each address of a part once, with the largest of its weights. */
const gather = (part: Part, into: Map<string, WeightedAddress>): void => {
  if (part.t === 'union') {
    for (const branch of part.branches) gather(branch.part, into);
    return;
  }
  for (const endpoint of part.endpoints) {
    const { text } = endpoint.address;
    if ((into.get(text)?.weight ?? -1) < endpoint.weight) into.set(text, endpoint);
  }
};

/**
 * The endpoints behind a bound tree. A concrete name that does not exist, cannot be had or is not known yet leaves
 * its share to the other branches of its union; with none left it decides.
 */
export const resolutionOf = (tree: NameTree<Bound>, addrOf: AddrOf): Said => {
  const found = treeOf(tree, addrOf);
  if (found.t !== 'part') return found;
  const { part } = found;
  if (part.t === 'set') return { t: 'bound', endpoints: part.endpoints };
  const all = new Map<string, WeightedAddress>();
  gather(part, all);
  return { t: 'bound', endpoints: [...all.values()], union: part };
};
