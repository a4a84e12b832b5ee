/** Whether two answers say the same; the order of endpoints says nothing. Pure. */
import type { WeightedAddress } from '../address.ts';
import { byText } from './addresses.ts';
import type { Good } from './answer.ts';
import type { Part } from './interpreter.ts';
import type { Addr } from './namers/namer.ts';

const areSame = (one: readonly WeightedAddress[], other: readonly WeightedAddress[]): boolean => {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  const wanted = byText(one);
  return other.every(({ address, weight }) => wanted.get(address.text)?.weight === weight);
};

const isSamePart = (one: Part, other: Part): boolean => {
  if (one.t === 'set')
    return other.t === 'set' && one.id === other.id && areSame(one.endpoints, other.endpoints);
  return (
    other.t === 'union' &&
    one.branches.length === other.branches.length &&
    one.branches.every(({ weight, part }, i) => {
      const twin = other.branches[i];
      return twin !== undefined && twin.weight === weight && isSamePart(part, twin.part);
    })
  );
};

/** Compares good answers; `undefined` is like none. */
export const isSame = (one: Good | undefined, other: Good): boolean => {
  if (one?.t !== 'bound' || other.t !== 'bound') return one?.t === other.t;
  if (one.union === undefined || other.union === undefined)
    return one.union === other.union && areSame(one.endpoints, other.endpoints);
  return isSamePart(one.union, other.union);
};

/** Compares what namers say of addresses, with all that they know of them. */
export const isSameAddr = (one: Addr, other: Addr): boolean => {
  if (one === other) return true;
  if (one.t === 'failed') return other.t === 'failed' && one.cause === other.cause;
  if (one.t !== 'bound' || other.t !== 'bound') return one.t === other.t;
  const metaOf = (addr: Extract<Addr, { t: 'bound' }>): string =>
    JSON.stringify([addr.meta, addr.endpoints.map(({ address, meta }) => [address.text, meta])]);
  return areSame(one.endpoints, other.endpoints) && metaOf(one) === metaOf(other);
};
