/** Finds the rules of a dtab that apply to a name, at a cost that does not grow with the number of rules. Pure. */
import { type Path, segments } from '../path.ts';
import type { Dentry, Dtab } from './dtab.ts';

/** A rule that applies, and what of the name stands behind its prefix: empty, or led by a slash. */
export interface Match {
  readonly dentry: Dentry;
  readonly rest: string;
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

/** Collects the rules of all prefixes of a name, and says how many prefixes it looked at: O(2^wildcards), in practice the length of the name. */
const collect = (node: Node, found: readonly string[], at: number, into: number[]): number => {
  into.push(...node.rules);
  const segment = found[at];
  if (segment === undefined) return 1;
  const exact = node.children.get(segment);
  const wild = segment === '*' ? undefined : node.children.get('*');
  return (
    1 +
    (exact === undefined ? 0 : collect(exact, found, at + 1, into)) +
    (wild === undefined ? 0 : collect(wild, found, at + 1, into))
  );
};

/** A name with more behind it. */
export const joined = (path: Path, rest: string): Path =>
  rest === '' ? path : ((path === '/' ? rest : `${path}${rest}`) as Path);

/** What of a name stands behind so many segments: empty, or led by a slash. */
export const restOf = (found: readonly string[], count: number): string =>
  found.length > count ? `/${found.slice(count).join('/')}` : '';

/** What was found for a name. */
export interface Matches {
  /** The last rule first, as it is preferred. */
  readonly rules: readonly Match[];
  /** How much was looked at for it. */
  readonly steps: number;
}

/** The rules that apply to a canonical name. */
export const matches = (dtab: Dtab, path: Path): Matches => {
  const found = segments(path);
  const places: number[] = [];
  const steps = collect(indexOf(dtab), found, 0, places);
  const rules = places
    .sort((a, b) => b - a)
    .flatMap((place) => {
      const dentry = dtab[place];
      if (dentry === undefined) return [];
      return [{ dentry, rest: restOf(found, dentry.prefix.length) }];
    });
  return { rules, steps: steps + rules.length };
};
