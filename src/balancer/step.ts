/**
 * The balancer of one name as a pure function: an event goes in, commands come out. The same events and
 * the same seed give the same commands, always; everything else about balancing rests on that.
 */

import type { ClientPolicy } from '../config/config.ts';
import { fault, PROOF_MS, unprobe } from './accrual.ts';
import { noteLatency, noteMoved } from './burden.ts';
import { endDial, proveStream } from './dials.ts';
import type { Command, Event } from './messages.ts';
import { proceed, resolve } from './resolve.ts';
import {
  closeSpare,
  dropSpares,
  keepSpare,
  loseSpare,
  missSpare,
  refill,
  trimSpares,
} from './spares.ts';
import { balancerOf, type Dial, type State, type Waiter } from './state.ts';
import { type Turn, weigh } from './turn.ts';
import { arrive, dispatch, giveUp, refuse, returnToLine, seatAll } from './waiters.ts';

const connected = (turn: Turn, id: number): void => {
  const dial = turn.s.dials.get(id);
  if (dial === undefined) {
    turn.out.push({ t: 'close', dial: id });
    return;
  }
  dial.endpoint.dialing -= 1;
  dial.endpoint.open += 1;
  noteLatency(dial.endpoint, turn.at - dial.since, turn.at);
  if (dial.waiter === undefined) keepSpare(turn, dial);
  else dispatch(turn, dial.waiter, dial);
};

/** Counts a failure against a dial’s endpoint; if that puts it aside, its spares are not to be trusted either. */
const blame = (turn: Turn, dial: Dial): void => {
  const { endpoint } = dial;
  if (endpoint.state === 'retired') return;
  fault(turn, dial);
  if (endpoint.state === 'failed') dropSpares(turn);
};

const connectFailed = (turn: Turn, event: Extract<Event, { t: 'connectFailed' }>): void => {
  const dial = turn.s.dials.get(event.dial);
  if (dial === undefined) return;
  endDial(turn, dial);
  // Trouble of our own says nothing about the endpoint.
  if (event.cause === 'local') unprobe(turn, dial);
  else blame(turn, dial);
  if (dial.waiter === undefined) missSpare(turn);
  else returnToLine(turn, dial.waiter, `${event.detail} ${dial.endpoint.address.text}`);
};

/** The first byte came. */
const answered = (turn: Turn, id: number): void => {
  const dial = turn.s.dials.get(id);
  if (dial === undefined) return;
  noteLatency(dial.endpoint, turn.at - dial.since, turn.at);
  proveStream(turn, dial);
};

/** A stream ended: in failure, or saying nothing new of its endpoint. */
const closed = (turn: Turn, event: Extract<Event, { t: 'closed' }>): void => {
  const dial = turn.s.dials.get(event.dial);
  if (dial === undefined) return;
  endDial(turn, dial);
  if (event.spurned) blame(turn, dial);
  else unprobe(turn, dial);
};

const configure = (turn: Turn, policy: ClientPolicy): void => {
  const { s } = turn;
  s.policy = policy;
  s.balancer = balancerOf(policy, s.makeBalancer);
  s.budget = s.budget.with(policy.requeueBudget);
  trimSpares(turn);
};

const apply = (turn: Turn, event: Event): void => {
  const { s } = turn;
  switch (event.t) {
    case 'arrived':
      arrive(turn, event);
      break;
    case 'departed': {
      const waiter = s.waiters.get(event.conn);
      if (waiter !== undefined) refuse(turn, waiter, 'departed', event.detail);
      break;
    }
    case 'resolved':
      resolve(turn, event.resolution);
      break;
    case 'connected':
      connected(turn, event.dial);
      break;
    case 'connectFailed':
      connectFailed(turn, event);
      break;
    case 'answered':
      answered(turn, event.dial);
      break;
    case 'sampled':
      noteMoved(s, event.moved, event.at);
      break;
    case 'closed':
      closed(turn, event);
      break;
    case 'lost':
      loseSpare(turn, event.dial);
      break;
    case 'configured':
      configure(turn, event.policy);
      break;
    case 'released':
      s.released = true;
      dropSpares(turn, 'all');
      break;
    case 'ticked':
      break;
  }
};

/**
 * A waiter’s time is up. A dial that had its chance counts against its endpoint: where no limit of its own
 * ends a dial, this is all that ever shows of an endpoint that swallows them.
 */
const expire = (turn: Turn, waiter: Waiter): void => {
  const { dial, deadline } = waiter;
  const isLate = deadline <= turn.at;
  if (isLate && dial !== undefined && turn.at - dial.since >= PROOF_MS) blame(turn, dial);
  giveUp(turn, waiter);
};

/** Does what has fallen due, before anything newer is looked at: what has expired is never dispatched. */
const catchUp = (turn: Turn): void => {
  const { s, at } = turn;
  for (let item = s.due.take(at); item !== undefined; item = s.due.take(at)) {
    if (item.kind === 'waiter') expire(turn, item);
    else if (item.kind === 'endpoint') weigh(turn, item);
    else if (item.kind === 'slice') proceed(turn);
    else if (item.kind === 'dial') {
      if (item.phase === 'spare') closeSpare(turn, item);
      else proveStream(turn, item);
    }
  }
};

/**
 * Takes one event in. Changes `state` in place, so that the cost of an event does not grow with the
 * number of endpoints: O(log n) in what falls due; a resolution costs O(endpoints), in slices.
 */
export const step = (state: State, event: Event): readonly Command[] => {
  const turn: Turn = { s: state, at: event.at, out: [] };
  state.at = event.at;
  catchUp(turn);
  apply(turn, event);
  if (state.parked.size > 0) seatAll(turn);
  if (state.policy.minConnections > 0) refill(turn);
  return turn.out;
};

/** When the state wants a `ticked` event; `undefined`: nothing is due at any time. */
export const nextDue = (state: State): number | undefined => state.due.peek()?.due;

/** Nothing waits, nothing streams: only spares may be open. */
export const isIdle = (state: State): boolean =>
  state.waiters.size === 0 && state.dials.size === state.spares.size + state.sparesDialing;
