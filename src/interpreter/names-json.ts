/** What is known of names as namerd’s JSON. Pure. The order of keys is part of it. */
import type { Delegation } from '../dtab/delegation.ts';
import type { NameTree } from '../dtab/name-tree.ts';
import type { Path } from '../path.ts';
import type { Addr, Bound, Meta } from './namers/namer.ts';

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>;

const GROUPS = 8;

/** IPv6 with all of its groups, as Java writes it; a zone stays. */
const javaIp = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const [bare = '', zone] = ip.split('%');
  const [head = '', tail] = bare.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : GROUPS - groups.length - behind.length;
  const all = [...groups, ...Array.from({ length: gap }, () => '0'), ...behind];
  return all.join(':') + (zone === undefined ? '' : `%${zone}`);
};

/** The addresses of a name; `more` is added to what is known of all of them. */
export const addrJson = (addr: Addr, more: Meta = {}): Json => {
  if (addr.t === 'failed') return { type: 'failed', cause: addr.cause };
  if (addr.t !== 'bound') return { type: addr.t };
  const addrs = addr.endpoints.map(({ address: { ip, port }, meta = {} }) => ({
    ip: javaIp(ip),
    port,
    meta,
  }));
  return { type: 'bound', addrs, meta: { ...addr.meta, ...more } };
};

/** What is known of the addresses of a concrete name. */
export type AddrOf = (bound: Bound) => Addr;

const boundJson = ({ id, residual }: Bound, addr: Json): Json => ({ addr, id, path: residual });

/** What a name is bound to. Leaves of a union tell the weight of their branch, also where one is all that is left of it. */
export const treeJson = (tree: NameTree<Bound>, addrOf: AddrOf, weight?: number): Json => {
  switch (tree.t) {
    case 'leaf': {
      const { value, weight: own = weight } = tree;
      const more = own === undefined ? {} : { namer_nametree_weight: own };
      return { type: 'leaf', bound: boundJson(value, addrJson(addrOf(value), more)) };
    }
    case 'union':
      return {
        type: 'union',
        union: tree.branches.map(({ weight: own, tree: one }) => ({
          weight: own,
          tree: treeJson(one, addrOf, own),
        })),
      };
    case 'alt':
      return { type: 'alt', alt: tree.trees.map((one) => treeJson(one, addrOf, weight)) };
    default:
      return { type: tree.t };
  }
};

/** How a name is delegated. */
export const delegationJson = (step: Delegation<Bound>, addrOf: AddrOf): Json => {
  const { t: type, path, dentry } = step;
  const common = { type, path, ...(dentry === undefined ? {} : { dentry }) };
  switch (step.t) {
    case 'leaf':
      return { ...common, bound: boundJson(step.bound, addrJson(addrOf(step.bound))) };
    case 'delegate':
      return { ...common, delegate: delegationJson(step.tree, addrOf) };
    case 'alt':
      return { ...common, alt: step.trees.map((one) => delegationJson(one, addrOf)) };
    case 'union':
      return {
        ...common,
        union: step.branches.map(({ weight, tree }) => ({
          weight,
          tree: delegationJson(tree, addrOf),
        })),
      };
    case 'exception':
      return { ...common, message: step.message };
    default:
      return common;
  }
};

/** The concrete names of a delegation. */
export const leavesOf = (step: Delegation<Bound>): readonly Bound[] => {
  switch (step.t) {
    case 'leaf':
      return [step.bound];
    case 'delegate':
      return leavesOf(step.tree);
    case 'alt':
      return step.trees.flatMap(leavesOf);
    case 'union':
      return step.branches.flatMap(({ tree }) => leavesOf(tree));
    default:
      return [];
  }
};

/** Whether something in it is not known yet. */
export const isPending = (step: Delegation<Bound>): boolean => {
  switch (step.t) {
    case 'delegate':
      return isPending(step.tree);
    case 'alt':
      return step.trees.some(isPending);
    case 'union':
      return step.branches.some(({ tree }) => isPending(tree));
    default:
      return step.t === 'pending';
  }
};

/** A list of names. */
export const namesJson = (names: Iterable<string | Path>): string => JSON.stringify([...names]);
