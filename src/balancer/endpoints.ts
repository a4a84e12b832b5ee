/** The set of endpoints as resolutions change it. Pure. */
import type { WeightedAddress } from '../address.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import { abortDial, forget } from './dials.ts';
import { closeSpares } from './spares.ts';
import { type Endpoint, load } from './state.ts';
import { type Turn, weigh } from './turn.ts';

const add = (turn: Turn, { address, weight }: WeightedAddress): void => {
  const { s } = turn;
  const index = s.freeIndexes.pop() ?? s.byIndex.length;
  const endpoint: Endpoint = {
    kind: 'endpoint',
    address,
    index,
    weight,
    state: 'available',
    dialing: 0,
    open: 0,
    failures: 0,
    penalties: 0,
    penaltyUntil: 0,
    probe: undefined,
    due: 0,
    slot: -1,
  };
  s.byIndex[index] = endpoint;
  s.endpoints.set(address.text, endpoint);
  weigh(turn, endpoint);
};

/** An address that is in the set again goes on with its load, its failures and its penalty. */
const renew = (turn: Turn, endpoint: Endpoint, weight: number): void => {
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

/** Takes an endpoint out of use: spares and dials end, streams go on, and with the last of them it is gone. */
const retire = (turn: Turn, endpoint: Endpoint): void => {
  const { s } = turn;
  if (endpoint.state === 'retired') return;
  endpoint.state = 'retired';
  s.due.remove(endpoint);
  weigh(turn, endpoint);
  closeSpares(turn, endpoint);
  if (endpoint.dialing > 0) {
    for (const dial of s.dials.values()) {
      if (dial.endpoint !== endpoint || dial.phase !== 'dialing') continue;
      const { waiter } = dial;
      abortDial(turn, dial);
      if (waiter === undefined) continue;
      waiter.dial = undefined;
      waiter.attempts -= 1;
      s.parked.set(waiter.conn, waiter);
    }
  }
  endpoint.probe = undefined;
  if (load(endpoint) === 0 && s.endpoints.has(endpoint.address.text)) forget(s, endpoint);
};

const replace = (turn: Turn, wanted: readonly WeightedAddress[]): void => {
  const { s } = turn;
  const kept = new Set<string>();
  for (const next of wanted) {
    const { text } = next.address;
    if (kept.has(text)) continue;
    kept.add(text);
    const known = s.endpoints.get(text);
    if (known === undefined) add(turn, next);
    else renew(turn, known, next.weight);
  }
  for (const endpoint of s.endpoints.values()) {
    if (!kept.has(endpoint.address.text)) retire(turn, endpoint);
  }
};

/** Applies what the interpreter said. Only good answers change the set; bad ones mark it stale. */
export const resolve = (turn: Turn, resolution: Resolution): void => {
  const { s, at } = turn;
  if (resolution.t === 'failed' || resolution.t === 'pending') {
    s.stale = s.resolution !== 'pending' && (s.stale || resolution.t === 'failed');
    return;
  }
  s.resolution = resolution.t;
  s.stale = false;
  s.resolvedAt = at;
  replace(turn, resolution.t === 'bound' ? resolution.endpoints : []);
};
