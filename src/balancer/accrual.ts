/** Failure accrual: who is put aside, for how long, and what brings it back. Pure. */
import { roll } from './random.ts';
import type { Dial, Endpoint } from './state.ts';
import { type Turn, weigh } from './turn.ts';

/** A stream that lived so long proves its endpoint; an end before it, without a byte, is a failure. */
export const PROOF_MS = 1000;

/** The penalty doubles with each that follows another, at most so often. */
const MOST_DOUBLINGS = 4;

/** Each penalty is longer by up to this share, so that probes of many proxies part ways. */
const JITTER = 0.2;

const putAside = (turn: Turn, endpoint: Endpoint): void => {
  const { s, at, out } = turn;
  const base = s.policy.failFast.failurePenaltySecs * 1000;
  const grown = base * 2 ** Math.min(endpoint.penalties, MOST_DOUBLINGS);
  const penaltyMs = grown * (1 + JITTER * roll(s.dice));
  endpoint.state = 'failed';
  endpoint.penalties += 1;
  endpoint.failedAt = at;
  endpoint.penaltyUntil = at + penaltyMs;
  s.due.put(endpoint, endpoint.penaltyUntil);
  out.push({
    t: 'tell',
    what: 'failed',
    address: endpoint.address,
    penaltyMs: Math.round(penaltyMs),
  });
};

/** Counts a failure against the endpoint of a dial: a dial that failed, or a stream that was spurned. */
export const fault = (turn: Turn, { endpoint, id }: Dial): void => {
  endpoint.failures += 1;
  const { state, failures } = endpoint;
  const probed = endpoint.probe === id;
  if (probed) endpoint.probe = undefined;
  const limit = turn.s.policy.failFast.maxConsecutiveFailures;
  const fails = state === 'available' && failures >= limit;
  // A probe forced while everybody is aside leaves the penalty as it was.
  const failsAgain = probed && state === 'failed' && endpoint.penaltyUntil <= turn.at;
  if (fails || failsAgain) putAside(turn, endpoint);
  weigh(turn, endpoint);
};

/** An outage counts as ended for so long. */
const CALM_MS = 1000;

/** When nothing was live, one success lets all the others be probed at once: it must not carry them all. */
const pardonAll = (turn: Turn): void => {
  for (const other of turn.s.endpoints.values()) {
    if (other.state !== 'failed') continue;
    other.penaltyUntil = turn.at;
    turn.s.due.remove(other);
    weigh(turn, other);
  }
};

/** Counts a success for an endpoint: its failures are forgotten, and it comes back if it was aside. */
export const credit = (turn: Turn, endpoint: Endpoint): void => {
  endpoint.failures = 0;
  endpoint.penalties = 0;
  if (endpoint.state !== 'failed') return;
  const { s, out } = turn;
  const panicked = s.live.total === 0;
  endpoint.state = 'available';
  endpoint.probe = undefined;
  s.due.remove(endpoint);
  weigh(turn, endpoint);
  s.panic.misses = 0;
  s.due.remove(s.panic);
  out.push({ t: 'tell', what: 'restored', address: endpoint.address });
  if (!panicked) return;
  s.calmUntil = turn.at + CALM_MS;
  pardonAll(turn);
};

/** A probe that proved nothing either way: the next connection may probe. */
export const unprobe = (turn: Turn, { endpoint, id }: Dial): void => {
  if (endpoint.probe !== id) return;
  endpoint.probe = undefined;
  weigh(turn, endpoint);
};
