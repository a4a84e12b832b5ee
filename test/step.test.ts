/** `step`, event by event: what follows from each. Promises in time are told in the marbles. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gaugeName, viewName } from '../src/balancer/view.ts';
import { bound, Trial } from './support/balancer.ts';

const STRICT = { failFast: { maxConsecutiveFailures: 2, failurePenaltySecs: 10 } };

/** The only dial on its way. */
const dialing = (trial: Trial): number => {
  const [dial, ...more] = trial.dialing.keys();
  assert.ok(dial !== undefined && more.length === 0, 'one dial is on its way');
  return dial;
};

/** A balancer whose only endpoint A is put aside. */
const aside = (): Trial => {
  const trial = new Trial(STRICT);
  trial.resolve(bound('A'));
  for (const conn of [1, 2]) {
    trial.arrive(conn);
    trial.fail(dialing(trial));
  }
  assert.ok(trial.failed.has('A'));
  return trial;
};

test('a connection is dialed for, joined, and its end frees the endpoint', () => {
  const trial = new Trial();
  trial.resolve(bound('A'));
  assert.deepEqual(trial.arrive(1), ['connect A']);
  assert.deepEqual(trial.connected(0), ['dispatch 1 A']);
  assert.deepEqual(trial.answer(0), []);
  assert.deepEqual(trial.close(0), []);
  assert.equal(trial.state.dials.size, 0);
});

test('one that arrives after its deadline is refused', () => {
  const trial = new Trial();
  trial.resolve(bound('A'));
  assert.deepEqual(trial.arrive(1, 0), ['refuse 1 connect-timeout']);
});

test('a dial that succeeds at the deadline comes too late', () => {
  const trial = new Trial();
  trial.resolve(bound('A'));
  trial.arrive(1, 100);
  trial.now = 100;
  assert.deepEqual(trial.connected(0), ['abort 0', 'refuse 1 connect-timeout', 'close 0']);
});

test('an endpoint that swallows dials until their connections give up is put aside', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bound('A'));
  for (const conn of [1, 2]) {
    trial.arrive(conn, 1000);
    trial.pass(1000);
  }
  assert.ok(trial.failed.has('A'));
});

test('a dial that was given less than a second says nothing of its endpoint', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bound('A'));
  for (const conn of [1, 2]) {
    trial.arrive(conn, 900);
    trial.pass(900);
  }
  assert.ok(!trial.failed.has('A'));
});

test('outcomes of dials and streams that are unknown change nothing', () => {
  const trial = new Trial();
  trial.resolve(bound('A'));
  for (const told of [
    trial.fail(7),
    trial.answer(7),
    trial.close(7, true),
    trial.lose(7),
    trial.depart(7),
  ]) {
    assert.deepEqual(told, []);
  }
});

test('an address that is named twice is one endpoint, with the first weight', () => {
  const trial = new Trial();
  trial.take({ t: 'resolved', resolution: bound('A*2', 'A*5') });
  assert.equal(trial.state.endpoints.size, 1);
  assert.equal(trial.state.live.total, 2);
});

test('who has tried all there is gets its answer, whoever waits before it', () => {
  const trial = aside();
  // 3 takes the only try that the pace allows, 4 has to wait for the next.
  assert.deepEqual(trial.arrive(3), ['connect A']);
  assert.deepEqual(trial.arrive(4), []);
  assert.deepEqual(trial.fail(dialing(trial)), ['refuse 3 connect-failed']);
});

test('a dial that is dropped proves nothing: the next connection may probe', () => {
  const trial = aside();
  trial.pass(20_000);
  assert.deepEqual(trial.arrive(3), ['connect A']);
  const probe = dialing(trial);
  assert.deepEqual(trial.depart(3), [`abort ${probe}`, 'refuse 3 departed']);
  assert.deepEqual(trial.arrive(4), ['connect A']);
});

test('a failed endpoint that leaves with a stream open returns with its penalty', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bound('A', 'B'));
  trial.arrive(1);
  const stream = dialing(trial);
  const [told] = trial.connected(stream);
  const name = told?.slice(-1) ?? '';
  for (let conn = 2; !trial.failed.has(name); conn++) {
    trial.arrive(conn);
    for (const [dial, { address }] of [...trial.dialing]) {
      if (address === name) trial.fail(dial);
    }
    assert.ok(conn < 100);
  }
  trial.resolve(bound());
  trial.resolve(bound(name));
  const [one] = viewName(trial.state, '/svc/web', trial.now).endpoints;
  assert.equal(one?.state, 'failed');
  assert.equal(one?.open, 1);
  assert.ok((one?.penaltyMs ?? 0) > 9000);
});

test('an endpoint that leaves with nothing open is gone, and its slot is used again', () => {
  const trial = new Trial();
  for (let i = 0; i < 1000; i++) trial.resolve(bound(`E${i}`, `F${i}`));
  assert.equal(trial.state.endpoints.size, 2);
  assert.ok(trial.state.byIndex.length <= 4);
});

test('a stream that opened after its endpoint was put aside brings it back', () => {
  const trial = new Trial(STRICT);
  trial.resolve(bound('A'));
  for (const conn of [1, 2, 3]) trial.arrive(conn);
  trial.fail(0);
  assert.deepEqual(trial.fail(1), ['failed A', 'refuse 2 connect-failed']);
  trial.pass(5);
  assert.deepEqual(trial.connected(2), ['dispatch 3 A']);
  assert.deepEqual(trial.answer(2), ['restored A']);
});

test('a spare that comes too late for a smaller policy is closed', () => {
  const trial = new Trial({ minConnections: 2 });
  trial.resolve(bound('A'));
  trial.connected(0);
  assert.deepEqual(trial.configure({ minConnections: 0 }), ['close 0']);
  assert.deepEqual(trial.connected(1), ['close 1']);
});

test('what an endpoint does to a spare is never a failure of the endpoint', () => {
  const trial = new Trial({ ...STRICT, minConnections: 1 });
  trial.resolve(bound('A'));
  for (let i = 0; i < 10; i++) {
    trial.connected(dialing(trial));
    trial.lose([...trial.spares.keys()][0] ?? -1);
    trial.pass(30_000);
  }
  assert.equal(trial.failed.size, 0);
});

test('spares do not probe, and an idle name with a failed endpoint asks for no ticks', () => {
  const trial = aside();
  trial.configure({ minConnections: 2 });
  assert.deepEqual(trial.pass(3_600_000), []);
  assert.equal(trial.state.due.size, 0);
});

test('a resolution that drops many endpoints costs no more than their number', () => {
  const trial = new Trial();
  const names = Array.from({ length: 200 }, (_, i) => `E${i}`);
  trial.resolve(bound(...names));
  for (let conn = 0; conn < 200; conn++) trial.arrive(conn);
  const told = trial.resolve(bound('Z'));
  assert.equal(told.filter((text) => text.startsWith('abort')).length, 200);
  assert.equal(told.filter((text) => text === 'connect Z').length, 200);
});

test('readers get copies of the counts', () => {
  const trial = new Trial();
  trial.resolve(bound('A', 'B*0'));
  trial.arrive(1);
  trial.connected(0);
  trial.arrive(2);
  trial.pass(500);
  trial.resolve({ t: 'failed', cause: 'no route' });
  const view = viewName(trial.state, '/svc/web', trial.now);
  const common = { state: 'available', consecutiveFailures: 0 };
  assert.deepEqual(view, {
    dst: '/svc/web',
    state: 'bound',
    stale: true,
    resolutionAgeMs: 500,
    waiters: 1,
    spares: 0,
    endpoints: [
      { ...common, address: 'A', weight: 1, load: 2, dialing: 1, open: 1 },
      { ...common, address: 'B', weight: 0, load: 0, dialing: 0, open: 0 },
    ],
  });
  assert.deepEqual(gaugeName(trial.state, { rt: 'r', dst: '/svc/web' }, trial.now), {
    rt: 'r',
    dst: '/svc/web',
    available: 2,
    failed: 0,
    retired: 0,
    pending: 1,
    open: 1,
    waiters: 1,
    resolutionAgeMs: 500,
  });
});

test('the age of a resolution counts from its last confirmation, which changes nothing else', () => {
  const trial = new Trial();
  trial.resolve({ t: 'confirmed' });
  assert.equal(trial.state.resolvedAt, undefined, 'there is nothing to confirm');
  trial.resolve(bound('A'));
  const at = trial.state.resolvedAt ?? Number.NaN;
  trial.pass(5000);
  assert.deepEqual(trial.resolve({ t: 'confirmed' }), []);
  assert.equal(trial.state.resolvedAt, at + 5000);
  assert.deepEqual(trial.arrive(1), ['connect A']);
});
