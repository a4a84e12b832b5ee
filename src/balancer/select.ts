/** Weighted power of two choices. Pure. */
import type { NextView } from '../view.ts';
import { burden } from './burden.ts';
import { ask } from './load-balancer.ts';
import type { Lots } from './lots.ts';
import type { Lottery } from './lottery.ts';
import { even, roll } from './random.ts';
import { type Endpoint, load, type State } from './state.ts';

const drawn = (s: State, index: number | undefined): Endpoint | undefined =>
  index === undefined ? undefined : s.byIndex[index];

/** The one of two candidates that carries less for its weight. */
const lighter = (s: State, lots: Lottery, first: Endpoint | undefined): Endpoint | undefined => {
  if (first === undefined) return undefined;
  const second = drawn(s, lots.draw(roll(s.dice), s.dice, first.index));
  if (second === undefined) return first;
  const [w1, w2] = [lots.weight(first.index), lots.weight(second.index)];
  return burden(s, second) * w1 < burden(s, first) * w2 ? second : first;
};

/**
 * Chooses one of the endpoints in `from`, or none if they weigh nothing. In a union the branch comes first, by its
 * weight alone; what follows is done among its endpoints, by the policy’s own load balancer if it has one. A first candidate is drawn in proportion to weight, while nothing is open by an even sequence; a second one among the others. The second is taken with
 * a probability that grows with the first’s excess load, so scaled that two endpoints whose loads are as their
 * weights pass on equally much to each other: shares follow the weights, not only in a quiet pool. Between
 * equal weights this means that the lesser load wins.
 */
export const choose = (s: State, from: Lots): Endpoint | undefined => {
  const lots = from.pick();
  return lots === undefined ? undefined : chooseFrom(s, lots);
};

const chooseFrom = (s: State, lots: Lottery): Endpoint | undefined => {
  const asked = ask(s, lots);
  if (asked !== undefined) return asked;
  const { dice } = s;
  const first = drawn(s, lots.draw(s.dials.size === 0 ? even(dice) : roll(dice), dice));
  if (s.policy.loadBalancer.load !== 'connections') return lighter(s, lots, first);
  if (first === undefined || load(first) === 0) return first;
  const second = drawn(s, lots.draw(roll(dice), dice, first.index));
  if (second === undefined) return first;
  const w1 = lots.weight(first.index);
  const w2 = lots.weight(second.index);
  const excess = load(first) * w2 - load(second) * w1;
  if (excess <= 0) return first;
  const bar = roll(dice) * Math.max(w1, w2) * (lots.total - Math.min(w1, w2));
  return bar < excess * (lots.total - w1) ? second : first;
};

/** Chooses among those that are not in `tried`. O(tried). */
export const chooseUntried = (
  s: State,
  from: Lots,
  tried: readonly Endpoint[],
): Endpoint | undefined => {
  // An endpoint that has gone left its index to another, which was not tried.
  const held = tried.filter((e) => s.byIndex[e.index] === e && from.holds(e));
  for (const endpoint of held) from.put(endpoint, false);
  const chosen = choose(s, from);
  for (const endpoint of held) from.put(endpoint, true);
  return chosen;
};

/** What the next connection would get at a time, by chance as it stands; `undefined`: nobody takes it, or others wait before it. */
export const preview = (state: State, now: number): NextView | undefined => {
  if (state.resolution !== 'bound' || state.parked.size > 0) return undefined;
  const spare = state.spares.first?.endpoint;
  if (spare !== undefined) return { drawn: [], chosen: spare.address.text, isSpare: true };
  const lots = state.live.pick(true);
  if (lots === undefined || lots.total <= 0) return undefined;
  const s = { ...state, at: now };
  // Copies of the dice: to ask what comes next must not change it.
  const dice = { ...s.dice };
  const first = drawn(s, lots.draw(s.dials.size === 0 ? even(dice) : roll(dice), dice));
  const second = drawn(s, lots.draw(roll(dice), dice, first?.index));
  const chosen = chooseFrom({ ...s, dice: { ...s.dice } }, lots);
  if (chosen === undefined) return undefined;
  // A load balancer of a plugin draws as it likes.
  const shown =
    s.balancer === undefined ? [first, second].filter((one) => one !== undefined) : [chosen];
  return {
    drawn: shown.map((one) => ({
      address: one.address.text,
      score: burden(s, one) / Math.max(lots.weight(one.index), Number.MIN_VALUE),
    })),
    chosen: chosen.address.text,
    isSpare: false,
  };
};
