/** What happens to those who have waited out an outage of every endpoint. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../src/balancer/state.ts';
import { bound, Trial } from './support/balancer.ts';

const WAITERS = 300;

/** Dials in flight, by the endpoint that they are for. */
const dialsOf = (trial: Trial): Map<string, number[]> => {
  const dials = new Map<string, number[]>();
  for (const [id, { address }] of trial.dialing)
    dials.set(address, [...(dials.get(address) ?? []), id]);
  return dials;
};

/** All endpoints are aside, and so many stand in line. */
const outage = (): Trial => {
  const trial = new Trial({
    failFast: { maxConsecutiveFailures: 1, failurePenaltySecs: 60 },
    emptyWaitMs: 60_000,
  });
  trial.resolve(bound('A', 'B', 'C'));
  trial.arrive(0, 60_000);
  for (
    let dial = [...trial.dialing.keys()][0];
    dial !== undefined;
    dial = [...trial.dialing.keys()][0]
  )
    trial.take({ t: 'connectFailed', dial, cause: 'refused', detail: 'ECONNREFUSED' });
  assert.equal(trial.failed.size, 3);
  for (let conn = 1; conn <= WAITERS; conn++) trial.arrive(conn, 60_000);
  return trial;
};

const answer = (trial: Trial, dial: number): readonly string[] => {
  trial.connected(dial);
  return trial.answer(dial);
};

/** The endpoint of the oldest dial is back. */
const back = (trial: Trial): readonly string[] => {
  const [dial] = trial.dialing.keys();
  assert.ok(dial !== undefined);
  return answer(trial, dial);
};

test('the first endpoint that is back does not get all who have waited', () => {
  const trial = outage();
  trial.pass(2000);
  back(trial);
  // A few are on their way, the others’ probes among them.
  assert.ok(trial.dialing.size <= 12, `${trial.dialing.size} at once`);
  assert.equal(dialsOf(trial).size, 3);
  for (let turn = 0; turn < 100 && trial.waiting.size > 0; turn++) {
    for (const dial of [...trial.dialing.keys()]) answer(trial, dial);
    trial.pass(1);
  }
  assert.equal(trial.waiting.size, 0);
  for (const endpoint of trial.state.endpoints.values())
    assert.ok(Math.abs(load(endpoint) - WAITERS / 3) < 20, `${load(endpoint)}`);
});

test('whoever is left over is seen to when nothing else happens', () => {
  const trial = outage();
  trial.pass(2000);
  back(trial);
  const before = trial.dialing.size;
  trial.pass(10);
  assert.ok(trial.dialing.size > before);
});
