/** Waiters: connections on their way to an endpoint, each answered exactly once. Pure. */
import type { CloseReason } from '../close-reason.ts';
import { abortDial, openStream, startDial } from './dials.ts';
import type { Event } from './messages.ts';
import { choose, chooseUntried } from './select.ts';
import { takeSpare } from './spares.ts';
import { type Dial, type Endpoint, makeWaiter, type Waiter } from './state.ts';
import { backOff, remind, type Turn } from './turn.ts';

/** First and longest wait, in ms, between tries while every endpoint sits out a penalty. */
const PANIC_MS = [20, 1000] as const;

/**
 * Limits the wait of one that stands in line, whoever stands before it: with a set, to `emptyWaitMs`;
 * without any, only to its deadline.
 */
export const limitWait = (turn: Turn, waiter: Waiter): void => {
  const { s, at } = turn;
  const patience = s.resolution === 'bound' ? at + s.policy.emptyWaitMs : Number.POSITIVE_INFINITY;
  remind(turn, waiter, Math.min(waiter.deadline, patience));
};

/** Puts a waiter without a dial last in line. */
export const lineUp = (turn: Turn, waiter: Waiter): void => {
  waiter.dial = undefined;
  turn.s.parked.set(waiter.conn, waiter);
  limitWait(turn, waiter);
};

const leave = ({ s }: Turn, waiter: Waiter): void => {
  s.waiters.delete(waiter.conn);
  s.parked.delete(waiter.conn);
  s.due.remove(waiter);
};

/** Turns a waiter away; a dial made for it is dropped. */
export const refuse = (
  turn: Turn,
  waiter: Waiter,
  reason: CloseReason,
  detail = waiter.detail,
): void => {
  const { conn, attempts, dial } = waiter;
  leave(turn, waiter);
  if (dial !== undefined) abortDial(turn, dial);
  turn.out.push({
    t: 'refuse',
    conn,
    reason,
    attempts,
    ...(detail === undefined ? {} : { detail }),
  });
};

/** Its time is up: the deadline, or its patience with a set that offers nothing. */
export const giveUp = (turn: Turn, waiter: Waiter): void => {
  if (waiter.deadline <= turn.at) refuse(turn, waiter, 'connect-timeout');
  else refuse(turn, waiter, waiter.attempts > 0 ? 'connect-failed' : 'no-endpoints');
};

/** Joins a waiter with a connected dial. */
export const dispatch = (turn: Turn, waiter: Waiter, dial: Dial): void => {
  leave(turn, waiter);
  openStream(turn, dial);
  const { conn, attempts } = waiter;
  turn.out.push({ t: 'dispatch', conn, dial: dial.id, address: dial.endpoint.address, attempts });
};

const dialFor = (turn: Turn, waiter: Waiter, endpoint: Endpoint): void => {
  const { s, at } = turn;
  if (waiter.attempts > 0 && !s.budget.withdraw(at, waiter.attempts === 1)) {
    refuse(turn, waiter, 'retry-budget');
    return;
  }
  s.parked.delete(waiter.conn);
  waiter.attempts += 1;
  waiter.dial = startDial(turn, endpoint, waiter);
  remind(turn, waiter, waiter.deadline);
};

/** While everybody sits aside they are tried nevertheless, one at a time and ever more slowly. */
const panic = (turn: Turn, waiter: Waiter): boolean => {
  const { s } = turn;
  const untried = chooseUntried(s, s.aside, waiter.tried);
  if (untried === undefined && waiter.attempts > 0) {
    refuse(turn, waiter, 'connect-failed');
    return true;
  }
  if (untried === undefined || s.panic.slot >= 0) return false;
  backOff(turn, s.panic, PANIC_MS);
  dialFor(turn, waiter, untried);
  return true;
};

/** An outage has just ended: an endpoint that this one has not tried may be back in a moment. */
const isHopeful = ({ s, at }: Turn, { tried }: Waiter): boolean =>
  at < s.calmUntil && tried.length < s.endpoints.size;

/**
 * Finds an endpoint for a waiter in line, or an answer. `stays`: there is none yet for this one; `blocked`: nor for those
 * behind it.
 */
const seat = (turn: Turn, waiter: Waiter): 'seated' | 'stays' | 'blocked' => {
  const { s } = turn;
  if (s.resolution === 'neg') {
    refuse(turn, waiter, 'no-such-name');
    return 'seated';
  }
  if (s.resolution === 'pending') return 'blocked';
  const spare = s.spares.size > 0 && waiter.attempts === 0 ? takeSpare(turn) : undefined;
  if (spare !== undefined) {
    dispatch(turn, waiter, spare);
    return 'seated';
  }
  if (s.live.total <= 0) return panic(turn, waiter) ? 'seated' : 'blocked';
  const { tried } = waiter;
  const endpoint = tried.length === 0 ? choose(s, s.live) : chooseUntried(s, s.live, tried);
  if (endpoint !== undefined) dialFor(turn, waiter, endpoint);
  else if (isHopeful(turn, waiter)) return 'stays';
  else refuse(turn, waiter, 'connect-failed');
  return 'seated';
};

/** Takes in a connection: it is seen to, or stands last in line; where that is full or its time is up it is refused. */
export const arrive = (turn: Turn, event: Extract<Event, { t: 'arrived' }>): void => {
  const { s, at, out } = turn;
  const { conn, deadline } = event;
  const full = s.waiters.size >= s.policy.maxWaiters;
  if (full || deadline <= at) {
    out.push({ t: 'refuse', conn, reason: full ? 'max-waiters' : 'connect-timeout', attempts: 0 });
    return;
  }
  const waiter = makeWaiter(conn, deadline);
  s.budget.deposit(at);
  s.waiters.set(conn, waiter);
  if (s.parked.size > 0 || seat(turn, waiter) !== 'seated') lineUp(turn, waiter);
};

/**
 * Its dial failed: it has one endpoint less to try. It is seen to before those in line, since they may have to
 * wait where it has an answer.
 */
export const returnToLine = (turn: Turn, waiter: Waiter, detail: string): void => {
  if (waiter.dial !== undefined) waiter.tried.push(waiter.dial.endpoint);
  waiter.detail = detail;
  waiter.dial = undefined;
  if (seat(turn, waiter) !== 'seated') lineUp(turn, waiter);
};

/** After an outage so many are seated at a time, and who sees to the rest comes so soon if nothing else happens. */
const FEW = 10;
const CALM_STEP_MS = 10;

/**
 * Goes through the line, oldest first, until one has to stay. Right after an outage only a few go: the first endpoint
 * that is back must not get all who have waited, while the others are still being probed.
 */
export const seatAll = (turn: Turn): void => {
  const { s, at } = turn;
  let left = at < s.calmUntil ? FEW : Number.POSITIVE_INFINITY;
  for (const waiter of s.parked.values()) {
    if (left-- <= 0) {
      s.due.put(s.calm, at + CALM_STEP_MS);
      return;
    }
    if (seat(turn, waiter) === 'blocked') return;
  }
};
