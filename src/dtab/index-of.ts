/** Finds the rules of a dtab that apply to a name, at a cost that does not grow with the number of rules. Pure. */
import { type Path, segments } from '../path.ts';
import type { Dentry, Dtab } from './dtab.ts';
import { mapTree, type NameTree } from './name-tree.ts';

/** A rule that applies, and what it makes of the name. */
export interface Match {
  readonly dentry: Dentry;
  readonly tree: NameTree<Path>;
}

interface Node {
  /** Places in the dtab of the rules whose prefix ends here. */
  readonly rules: number[];
  readonly children: Map<string, Node>;
}

const makeNode = (): Node => ({ rules: [], children: new Map() });

const build = (dtab: Dtab): Node => {
  const root = makeNode();
  for (const [i, { prefix }] of dtab.entries()) {
    let node = root;
    for (const segment of prefix) {
      const next = node.children.get(segment) ?? makeNode();
      node.children.set(segment, next);
      node = next;
    }
    node.rules.push(i);
  }
  return root;
};

const indexes = new WeakMap<Dtab, Node>();

const indexOf = (dtab: Dtab): Node => {
  const index = indexes.get(dtab) ?? build(dtab);
  indexes.set(dtab, index);
  return index;
};

/** Collects the rules of all prefixes of a name. O(2^wildcards), in practice the length of the name. */
const collect = (node: Node, found: readonly string[], at: number, into: number[]): void => {
  into.push(...node.rules);
  const segment = found[at];
  if (segment === undefined) return;
  const exact = node.children.get(segment);
  if (exact !== undefined) collect(exact, found, at + 1, into);
  const wild = segment === '*' ? undefined : node.children.get('*');
  if (wild !== undefined) collect(wild, found, at + 1, into);
};

/** A name with more behind it. */
export const joined = (path: Path, rest: string): Path =>
  rest === '' ? path : ((path === '/' ? rest : `${path}${rest}`) as Path);

/** What of a name stands behind so many segments: empty, or led by a slash. */
export const restOf = (found: readonly string[], count: number): string =>
  found.length > count ? `/${found.slice(count).join('/')}` : '';

/** The rules that apply to a canonical name, the last one first, as it is preferred. */
export const matches = (dtab: Dtab, path: Path): readonly Match[] => {
  const found = segments(path);
  const places: number[] = [];
  collect(indexOf(dtab), found, 0, places);
  return places
    .sort((a, b) => b - a)
    .flatMap((place) => {
      const dentry = dtab[place];
      if (dentry === undefined) return [];
      const rest = restOf(found, dentry.prefix.length);
      return [{ dentry, tree: mapTree(dentry.dst, (to) => joined(to, rest)) }];
    });
};
