/** Whether two answers say the same; the order of endpoints says nothing. Pure. */
import type { WeightedAddress } from '../address.ts';
import { byText } from './addresses.ts';
import type { Good } from './answer.ts';
import type { Part } from './interpreter.ts';

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
