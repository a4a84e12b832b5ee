/** The set of endpoints as resolutions change it, a slice at a time. Pure. */
import type { WeightedAddress } from '../address.ts';
import type { Resolution, Union } from '../interpreter/interpreter.ts';
import { abortDial } from './dials.ts';
import { add, renew, retire } from './endpoints.ts';
import { Lots } from './lots.ts';
import { dropSpares } from './spares.ts';
import type { Reform } from './state.ts';
import { type Turn, weigh } from './turn.ts';
import { limitWait, lineUp } from './waiters.ts';

/** So many endpoints come, stay or go in one step; thousands would hold up all other events. */
export const SLICE = 1000;

/** From one slice to the next. */
const PAUSE_MS = 1;

/** Drops the dials to endpoints that have just been retired; who waited for one stands in line again. */
const dropDials = (turn: Turn): void => {
  for (const waiter of turn.s.waiters.values()) {
    const { dial } = waiter;
    if (dial?.endpoint.state !== 'retired') continue;
    abortDial(turn, dial);
    waiter.attempts -= 1;
    lineUp(turn, waiter);
  }
};

/** Lets the next endpoints of the new set in, `quota` at most; returns what is left of it. */
const letIn = (turn: Turn, reform: Reform, quota: number): number => {
  const { s } = turn;
  const from = reform.entered;
  const next = reform.wanted.slice(from, from + quota);
  for (const wanted of next) {
    const known = s.endpoints.get(wanted.address.text);
    if (known === undefined) add(turn, wanted);
    else if (known.seenIn !== s.sets) renew(turn, known, wanted.weight);
  }
  reform.entered += next.length;
  return quota - next.length;
};

/** Retires the next endpoints that are not in the new set, `quota` at most. Returns whether it was done with all. */
const sendOff = (turn: Turn, reform: Reform, quota: number): boolean => {
  const { s } = turn;
  let isDialing = false;
  let left = quota;
  for (; reform.looked < s.byIndex.length && left > 0; reform.looked++) {
    const endpoint = s.byIndex[reform.looked];
    if (endpoint === undefined || endpoint.state === 'retired') continue;
    if (endpoint.seenIn === s.sets) continue;
    isDialing ||= endpoint.dialing > 0;
    retire(turn, endpoint);
    left -= 1;
  }
  if (isDialing) dropDials(turn);
  return reform.looked >= s.byIndex.length;
};

/**
 * Goes on with the change to the new set, by one slice: first all come that are new, then all go that are not in it
 * any more, so that between two slices there is nobody missing.
 */
export const proceed = (turn: Turn, quota = SLICE): void => {
  const { s } = turn;
  const { reform } = s;
  if (reform === undefined) return;
  const left = letIn(turn, reform, quota);
  if (left > 0 && sendOff(turn, reform, left)) {
    s.reform = undefined;
    s.due.remove(s.slice);
    dropSpares(turn);
  } else {
    s.due.put(s.slice, turn.at + PAUSE_MS);
  }
};

const replace = (turn: Turn, wanted: readonly WeightedAddress[], union?: Union): void => {
  const { s } = turn;
  s.sets += 1;
  s.union = union;
  s.reform = { wanted, entered: 0, looked: 0 };
  if (union === undefined && !s.live.isUnion) {
    proceed(turn);
    return;
  }
  // Branches are drawn from as they are told, whole.
  s.live = new Lots(union, s.dice);
  s.aside = new Lots(union, s.dice);
  proceed(turn, Number.POSITIVE_INFINITY);
  for (const endpoint of s.endpoints.values()) weigh(turn, endpoint);
};

/**
 * Applies what the interpreter said. Only good answers change the set; bad ones mark it stale. A set of more than
 * `SLICE` endpoints takes several steps, 1 ms apart.
 */
export const resolve = (turn: Turn, resolution: Resolution): void => {
  const { s, at } = turn;
  if (resolution.t === 'confirmed') {
    if (s.resolution !== 'pending') s.resolvedAt = at;
    return;
  }
  if (resolution.t === 'failed' || resolution.t === 'pending') {
    s.stale = s.resolution !== 'pending' && (s.stale || resolution.t === 'failed');
    return;
  }
  const isFirst = s.resolution === 'pending';
  s.resolution = resolution.t;
  s.stale = false;
  s.resolvedAt = at;
  if (resolution.t === 'bound') replace(turn, resolution.endpoints, resolution.union);
  else replace(turn, []);
  if (isFirst) for (const waiter of s.parked.values()) limitWait(turn, waiter);
};
