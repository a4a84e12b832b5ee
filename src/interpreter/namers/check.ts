/** Whether what a namer says is what a namer may say: they are others’ code too. Pure. */
import type { NameTree } from '../../dtab/name-tree.ts';
import type { Addr, Binding } from './namer.ts';

/** Deepest tree that is taken. */
export const MOST_DEPTH = 100;

type Odd = Readonly<Record<string, unknown>>;

/** What is no object counts as one without keys. */
export const record = (value: unknown): Odd =>
  typeof value === 'object' && value !== null ? (value as Odd) : {};

/** Whether it is a list, of whatever. */
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Whether it is the weight of a branch or an endpoint. */
export const isWeight = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isPath = (value: unknown): boolean => typeof value === 'string' && value.startsWith('/');

const isLeaf = (value: unknown): boolean => {
  if (typeof value === 'string') return isPath(value);
  const { id, residual, addr$ } = record(value);
  return isPath(id) && isPath(residual) && typeof record(addr$)['subscribe'] === 'function';
};

const isTree = (value: unknown, depth = 0): boolean => {
  const tree = record(value);
  const { t, trees, branches }: Odd = tree;
  if (depth > MOST_DEPTH) return false;
  switch (t as NameTree<unknown>['t'] | undefined) {
    case 'leaf':
      return isLeaf(tree['value']);
    case 'alt':
      return isList(trees) && trees.every((one) => isTree(one, depth + 1));
    case 'union':
      return (
        isList(branches) &&
        branches.every(
          (one) => isWeight(record(one)['weight']) && isTree(record(one)['tree'], depth + 1),
        )
      );
    case 'neg':
    case 'fail':
    case 'empty':
      return true;
    default:
      return false;
  }
};

/** Whether it is an address with its weight. */
export const isEndpoint = (value: unknown): boolean => {
  const { address, weight } = record(value);
  const { ip, port, text } = record(address);
  return (
    isWeight(weight) &&
    typeof ip === 'string' &&
    typeof port === 'number' &&
    typeof text === 'string'
  );
};

const isFailed = (value: unknown): boolean => typeof record(value)['cause'] === 'string';

/** Says whether it is what a namer may say of a name. */
export const isBinding = (value: unknown): value is Binding => {
  const { t, tree } = record(value);
  if (t === 'ok') return isTree(tree);
  return t === 'pending' || (t === 'failed' && isFailed(value));
};

/** Says whether it is what a namer may say of addresses. O(addresses). */
export const isAddr = (value: unknown): value is Addr => {
  const { t, endpoints } = record(value);
  if (t === 'bound') return isList(endpoints) && endpoints.every(isEndpoint);
  return t === 'neg' || t === 'pending' || (t === 'failed' && isFailed(value));
};
