/** Spares: connections kept open ahead of need, `minConnections` of them. Pure. */
import { abortDial, endDial, startDial } from './dials.ts';
import { choose } from './select.ts';
import type { Dial, Endpoint, State } from './state.ts';
import { backOff, remind, type Turn } from './turn.ts';

/** First and longest wait, in ms, before a spare that came to nothing is replaced. */
const REFILL_MS = [100, 10_000] as const;

/** A spare that lived so long was a good one: its replacement need not wait long. */
const GOOD_SPARE_MS = 1000;

/** How often an endpoint is drawn for a spare before it is left to the next event. */
const DRAWS = 4;

/** An endpoint for a spare: one that is to be probed is left to connections, and drawn again. */
const chooseForSpare = (s: State): Endpoint | undefined => {
  for (let draw = 0; draw < DRAWS; draw++) {
    const endpoint = choose(s, s.live);
    if (endpoint?.state !== 'failed') return endpoint;
  }
  return undefined;
};

/** Opens what is missing, unless a back-off is running. */
export const refill = (turn: Turn): void => {
  const { s } = turn;
  if (s.released || s.resolution !== 'bound' || s.refill.slot >= 0) return;
  while (s.spares.size + s.sparesDialing < s.policy.minConnections) {
    const endpoint = chooseForSpare(s);
    if (endpoint === undefined) return;
    s.sparesDialing += 1;
    startDial(turn, endpoint);
  }
};

/** Lets the next try wait. Spares that fail or end together are one miss: a running wait is not made longer. */
const delayRefill = (turn: Turn): void => {
  const { refill } = turn.s;
  if (refill.slot < 0) backOff(turn, refill, REFILL_MS);
};

/** A spare’s dial succeeded: from now on it is watched. One too many, after a change of policy, is closed. */
export const keepSpare = (turn: Turn, dial: Dial): void => {
  const { s, at, out } = turn;
  s.sparesDialing -= 1;
  dial.phase = 'spare';
  dial.since = at;
  s.spares.set(dial.id, dial);
  if (s.spares.size > s.policy.minConnections) {
    closeSpare(turn, dial);
    return;
  }
  out.push({ t: 'watch', dial: dial.id });
  remind(turn, dial, at + s.policy.spareIdleMs);
};

/** A spare’s dial failed: the next one waits. */
export const missSpare = (turn: Turn): void => {
  turn.s.sparesDialing -= 1;
  delayRefill(turn);
};

/** Takes the oldest spare for use. Its endpoint was drawn by weight when it was opened. */
export const takeSpare = ({ s }: Turn): Dial | undefined => {
  const dial = s.spares.first;
  if (dial === undefined) return undefined;
  s.spares.delete(dial.id);
  s.refill.misses = 0;
  return dial;
};

const dropSpare = (turn: Turn, dial: Dial): void => {
  turn.s.spares.delete(dial.id);
  endDial(turn, dial);
};

/** The endpoint closed a spare; that is no failure. */
export const loseSpare = (turn: Turn, id: number): void => {
  const dial = turn.s.spares.get(id);
  if (dial === undefined) return;
  dropSpare(turn, dial);
  if (turn.at - dial.since > GOOD_SPARE_MS) turn.s.refill.misses = 0;
  delayRefill(turn);
};

/** Closes a spare. */
export const closeSpare = (turn: Turn, dial: Dial): void => {
  dropSpare(turn, dial);
  turn.out.push({ t: 'close', dial: dial.id });
};

const takesNew = ({ state, weight }: Endpoint): boolean => state === 'available' && weight > 0;

/** Closes spares, and drops the dials for more: all of them, or those at endpoints that take nothing new. */
export const dropSpares = (turn: Turn, which: 'all' | 'unfit' = 'unfit'): void => {
  const { s } = turn;
  const goes = ({ endpoint }: Dial): boolean => which === 'all' || !takesNew(endpoint);
  for (const dial of s.spares.values()) if (goes(dial)) closeSpare(turn, dial);
  if (s.sparesDialing === 0) return;
  for (const dial of s.dials.values()) {
    if (dial.phase !== 'dialing' || dial.waiter !== undefined || !goes(dial)) continue;
    s.sparesDialing -= 1;
    abortDial(turn, dial);
  }
};

/** Closes spares beyond the number that the policy wants now. */
export const trimSpares = (turn: Turn): void => {
  const { s } = turn;
  for (const dial of s.spares.values()) {
    if (s.spares.size <= s.policy.minConnections) return;
    closeSpare(turn, dial);
  }
};
