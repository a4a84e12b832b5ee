/** Dtabs and trees of names as text. Pure. */
import type { Path } from '../path.ts';
import type { Dentry, Dtab } from './dtab.ts';
import { DEFAULT_WEIGHT, type NameTree } from './name-tree.ts';

/** How a weight is written; empty: not at all, for it is 1. */
type ShowWeight = (weight: number) => string;

/** The places that the longest number that is read can have. */
const MOST_PLACES = 39;

/** So that it is read as the same number again. */
const exactWeight: ShowWeight = (weight) => {
  if (weight === DEFAULT_WEIGHT) return '';
  const text = String(weight);
  if (!text.includes('e')) return `${text}*`;
  if (weight > 1) return `${BigInt(weight)}*`;
  return `${weight.toFixed(MOST_PLACES).replace(/^0|0+$/g, '')}*`;
};

/** With two places, as Finagle shows it: what is read again is not always the same number. */
const shortWeight: ShowWeight = (weight) => {
  const text = weight.toFixed(2);
  return text === '1.00' ? '' : `${text}*`;
};

const MARKS = { neg: '~', fail: '!', empty: '$' } as const;

const show = (tree: NameTree<Path>, weight: ShowWeight, isInner: boolean): string => {
  switch (tree.t) {
    case 'leaf':
      return tree.value;
    case 'alt': {
      const text = tree.trees
        // An alternative within an alternative is one of its own, and would be read as part of this one.
        .map((one) =>
          one.t === 'alt' ? `(${show(one, weight, false)})` : show(one, weight, false),
        )
        .join(' | ');
      return isInner ? `(${text})` : text;
    }
    case 'union': {
      const text = tree.branches
        .map((branch) => `${weight(branch.weight)}${show(branch.tree, weight, true)}`)
        .join(' & ');
      return isInner ? `(${text})` : text;
    }
    default:
      return MARKS[tree.t];
  }
};

/** A tree as it is read again. */
export const showTree = (tree: NameTree<Path>): string => show(tree, exactWeight, false);

/** A tree as namerd shows it, weights rounded to two places. */
export const showTreeShort = (tree: NameTree<Path>): string => show(tree, shortWeight, false);

/** The prefix of a rule. */
export const showPrefix = ({ prefix }: Pick<Dentry, 'prefix'>): string => `/${prefix.join('/')}`;

/** A dtab as it is read again. */
export const showDtab = (dtab: Dtab): string =>
  dtab.map((dentry) => `${showPrefix(dentry)}=>${showTree(dentry.dst)}`).join(';');

/** A dtab as namerd shows it, weights rounded to two places. */
export const showDtabShort = (dtab: Dtab): string =>
  dtab.map((dentry) => `${showPrefix(dentry)}=>${showTreeShort(dentry.dst)}`).join(';');
