/** The set of endpoints as resolutions change it. Pure. */
import type { WeightedAddress } from '../address.ts';
import type { Resolution, Union } from '../interpreter/interpreter.ts';
import { abortDial, forget } from './dials.ts';
import { Lots } from './lots.ts';
import { dropSpares } from './spares.ts';
import { type Endpoint, load } from './state.ts';
import { type Turn, weigh } from './turn.ts';
import { limitWait, lineUp } from './waiters.ts';

const add = (turn: Turn, { address, weight }: WeightedAddress): void => {
  const { s } = turn;
  const index = s.freeIndexes.pop() ?? s.byIndex.length;
  const endpoint: Endpoint = {
    // The fields that a decision reads stand first, together.
    dialing: 0,
    open: 0,
    index,
    state: 'available',
    kind: 'endpoint',
    address,
    weight,
    seenIn: s.sets,
    failures: 0,
    penalties: 0,
    failedAt: 0,
    penaltyUntil: 0,
    probe: undefined,
    latencyMs: undefined,
    latencyAt: 0,
    bytesPerSec: 0,
    ratedAt: 0,
    due: 0,
    slot: -1,
  };
  s.byIndex[index] = endpoint;
  s.endpoints.set(address.text, endpoint);
  weigh(turn, endpoint);
};

/** An address that is in the set again goes on with its load, its failures and its penalty. */
const renew = (turn: Turn, endpoint: Endpoint, weight: number): void => {
  endpoint.seenIn = turn.s.sets;
  if (endpoint.weight === weight && endpoint.state !== 'retired') return;
  endpoint.weight = weight;
  if (endpoint.state === 'retired') {
    endpoint.state = endpoint.penalties > 0 ? 'failed' : 'available';
    if (endpoint.state === 'failed' && endpoint.penaltyUntil > turn.at) {
      turn.s.due.put(endpoint, endpoint.penaltyUntil);
    }
  }
  weigh(turn, endpoint);
};

/** Takes an endpoint out of use: streams go on, and with the last of them it is gone. */
const retire = (turn: Turn, endpoint: Endpoint): void => {
  const { s } = turn;
  endpoint.state = 'retired';
  endpoint.probe = undefined;
  s.due.remove(endpoint);
  weigh(turn, endpoint);
  if (load(endpoint) === 0) forget(s, endpoint);
};

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

/** Draws from the branches of another union from now on; everybody is to be put into them. */
const regroup = ({ s }: Turn, union: Union | undefined): void => {
  s.live = new Lots(union, s.dice);
  s.aside = new Lots(union, s.dice);
};

const replace = (turn: Turn, wanted: readonly WeightedAddress[], union?: Union): void => {
  const { s } = turn;
  const isRegrouped = union !== undefined || s.live.isUnion;
  if (isRegrouped) regroup(turn, union);
  s.sets += 1;
  for (const next of wanted) {
    const known = s.endpoints.get(next.address.text);
    if (known === undefined) add(turn, next);
    else if (known.seenIn !== s.sets) renew(turn, known, next.weight);
  }
  let isDialing = false;
  for (const endpoint of s.endpoints.values()) {
    if (endpoint.state === 'retired' || endpoint.seenIn === s.sets) continue;
    isDialing ||= endpoint.dialing > 0;
    retire(turn, endpoint);
  }
  if (isRegrouped) for (const endpoint of s.endpoints.values()) weigh(turn, endpoint);
  dropSpares(turn);
  if (isDialing) dropDials(turn);
};

/** Applies what the interpreter said. Only good answers change the set; bad ones mark it stale. */
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
