/** One endpoint of a set: how it comes in, stays, and goes. Pure. */
import type { WeightedAddress } from '../address.ts';
import { forget } from './dials.ts';
import { type Endpoint, load, makeEndpoint } from './state.ts';
import { type Turn, weigh } from './turn.ts';

/** Takes a new address in. */
export const add = (turn: Turn, wanted: WeightedAddress): void => {
  const { s } = turn;
  const index = s.freeIndexes.pop() ?? s.byIndex.length;
  const endpoint = makeEndpoint(wanted, index, s.sets);
  s.byIndex[index] = endpoint;
  s.endpoints.set(wanted.address.text, endpoint);
  weigh(turn, endpoint);
};

/** An address that is in the set again goes on with its load, its failures and its penalty. */
export const renew = (turn: Turn, endpoint: Endpoint, weight: number): void => {
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
export const retire = (turn: Turn, endpoint: Endpoint): void => {
  const { s } = turn;
  endpoint.state = 'retired';
  endpoint.probe = undefined;
  s.due.remove(endpoint);
  weigh(turn, endpoint);
  if (load(endpoint) === 0) forget(s, endpoint);
};
