/** Weighted power of two choices. Pure. */
import { roll } from './random.ts';
import { type Endpoint, load, type State } from './state.ts';
import type { WeightTree } from './weight-tree.ts';

const draw = (s: State, tree: WeightTree): Endpoint | undefined =>
  s.byIndex[tree.draw(roll(s.dice))];

/**
 * Chooses one of the tree’s endpoints, or none if it weighs nothing. Two candidates are drawn
 * independently in proportion to weight, so that shares follow the weights in a quiet pool; the second
 * is taken only if its (load + ½) / weight is below the first’s load / weight.
 */
export const choose = (s: State, tree: WeightTree): Endpoint | undefined => {
  if (tree.total <= 0) return undefined;
  const first = draw(s, tree);
  const second = draw(s, tree);
  if (first === undefined || second === undefined || first === second) return first;
  const better = (load(second) + 0.5) * first.weight < load(first) * second.weight;
  return better ? second : first;
};

/** Chooses among those that are not in `tried`. O(tried · log n). */
export const chooseUntried = (
  s: State,
  tree: WeightTree,
  tried: readonly Endpoint[],
): Endpoint | undefined => {
  // An endpoint that has gone left its index to another, which was not tried.
  const indexes = tried.filter((e) => s.byIndex[e.index] === e).map((e) => e.index);
  const weights = indexes.map((index) => tree.weight(index));
  for (const index of indexes) tree.set(index, 0);
  const chosen = choose(s, tree);
  for (const [i, index] of indexes.entries()) tree.set(index, weights[i] ?? 0);
  return chosen;
};
