/** Dials from their start to their end, and the counts of their endpoints. Pure. */
import { credit, PROOF_MS, unprobe } from './accrual.ts';
import { type Dial, type Endpoint, load, makeDial, type Waiter } from './state.ts';
import { remind, type Turn, weigh } from './turn.ts';

/** Starts a dial for a waiter, or a spare’s. An endpoint that sits aside is probed by it. */
export const startDial = (turn: Turn, endpoint: Endpoint, waiter?: Waiter): Dial => {
  const { s, out } = turn;
  const id = s.nextDial++;
  const dial = makeDial(id, endpoint, waiter, turn.at);
  s.dials.set(id, dial);
  endpoint.dialing += 1;
  if (endpoint.state === 'failed') {
    endpoint.probe = id;
    weigh(turn, endpoint);
  }
  const { address } = endpoint;
  out.push(
    waiter === undefined
      ? { t: 'connect', dial: id, address }
      : { t: 'connect', dial: id, address, conn: waiter.conn },
  );
  return dial;
};

/** Forgets a dial; its endpoint goes too if it was retired and this was its last. */
export const endDial = ({ s }: Turn, dial: Dial): void => {
  const { endpoint } = dial;
  if (dial.phase === 'dialing') endpoint.dialing -= 1;
  else endpoint.open -= 1;
  s.dials.delete(dial.id);
  s.due.remove(dial);
  if (endpoint.state === 'retired' && load(endpoint) === 0) forget(s, endpoint);
};

/** Drops an endpoint for good; its index is free for another. */
export const forget = (s: Turn['s'], endpoint: Endpoint): void => {
  s.endpoints.delete(endpoint.address.text);
  s.byIndex[endpoint.index] = undefined;
  s.freeIndexes.push(endpoint.index);
  s.due.remove(endpoint);
};

/** Drops a dial that nobody waits for: neither a success nor a failure. */
export const abortDial = (turn: Turn, dial: Dial): void => {
  endDial(turn, dial);
  unprobe(turn, dial);
  turn.out.push({ t: 'abort', dial: dial.id });
};

/** Marks a dial as a stream. One whose endpoint has failures to clear is looked at again when it has proved itself. */
export const openStream = (turn: Turn, dial: Dial): void => {
  const { endpoint } = dial;
  turn.s.due.remove(dial);
  dial.phase = 'open';
  dial.waiter = undefined;
  dial.since = turn.at;
  if (endpoint.failures > 0 || endpoint.probe === dial.id) remind(turn, dial, turn.at + PROOF_MS);
};

/**
 * The first byte of a stream, or its first second, proves its endpoint. One that was open before its endpoint
 * was put aside proves nothing new: old streams may live on where no new ones are taken.
 */
export const proveStream = (turn: Turn, dial: Dial): void => {
  const { endpoint, since } = dial;
  turn.s.due.remove(dial);
  const isOld = endpoint.state === 'failed' && since < endpoint.failedAt;
  if (endpoint.state !== 'retired' && !isOld) credit(turn, endpoint);
};
