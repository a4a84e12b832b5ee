/** One step in progress: the state, the moment, and the commands so far. Pure. */
import type { Command } from './messages.ts';
import { roll } from './random.ts';
import type { Chore, Endpoint, State } from './state.ts';

/** What every part of a step gets. Commands are performed in the order of `out`. */
export interface Turn {
  readonly s: State;
  readonly at: number;
  readonly out: Command[];
}

/** Falls due `ms` from now at the earliest, in a place of its own in the queue; `Infinity`: never. */
export const remind = (turn: Turn, item: Parameters<State['due']['put']>[0], due: number): void => {
  if (due < Number.POSITIVE_INFINITY) turn.s.due.put(item, due);
  else turn.s.due.remove(item);
};

/** Notes one more miss of a chore and sets its next time: doubling from `firstMs` up to `mostMs`, jittered by ±50 %. */
export const backOff = (
  turn: Turn,
  chore: Chore,
  [firstMs, mostMs]: readonly [number, number],
): void => {
  const grown = Math.min(mostMs, firstMs * 2 ** Math.min(chore.misses, 30));
  chore.misses += 1;
  turn.s.due.put(chore, turn.at + grown * (0.5 + roll(turn.s.dice)));
};

/** Puts an endpoint where its state says that it belongs. */
export const weigh = ({ s, at }: Turn, endpoint: Endpoint): void => {
  const { state, probe, penaltyUntil } = endpoint;
  const waiting = state === 'failed' && probe === undefined;
  const ready = state === 'available' || (waiting && penaltyUntil <= at);
  s.live.put(endpoint, ready);
  s.aside.put(endpoint, waiting && !ready);
};
