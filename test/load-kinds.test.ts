/** What is balanced: connections, throughput or latency, told by who gets the connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latency, rate } from '../src/balancer/burden.ts';
import type { Endpoint } from '../src/balancer/state.ts';
import type { LoadBalancerConfig } from '../src/config/config.ts';
import { Meter } from '../src/meter.ts';
import { bound, Trial } from './support/balancer.ts';

const by = (load: LoadBalancerConfig['load']) => ({ loadBalancer: { kind: 'p2c', load } }) as const;

const at = ({ state }: Trial, name: string): Endpoint => {
  const endpoint = state.endpoints.get(name);
  assert.ok(endpoint);
  return endpoint;
};

let lastConn = 0;

/** One connection from its arrival to its end, its dial and its first byte taking so long at each; gives its endpoint. */
const visit = (trial: Trial, msOf: (name: string) => number): string => {
  const [told = ''] = trial.arrive(++lastConn);
  const name = told.replace('connect ', '');
  const [dial = -1] = trial.dialing.keys();
  trial.pass(msOf(name));
  trial.connected(dial);
  trial.pass(msOf(name));
  trial.answer(dial);
  trial.close(dial);
  return name;
};

/** How many of so many connections, one after the other, each endpoint gets. */
const share = (
  trial: Trial,
  count: number,
  msOf: (name: string) => number,
): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const name = visit(trial, msOf);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
};

const slowA = (name: string): number => (name === 'A' ? 50 : 1);

test('by connections a slow endpoint gets its share; by latency it is left alone', () => {
  for (const [load, most] of [
    ['connections', 1],
    ['latency', 0.2],
  ] as const) {
    const trial = new Trial(by(load));
    trial.resolve(bound('A', 'B', 'C'));
    const slow = share(trial, 600, slowA).get('A') ?? 0;
    assert.ok(slow <= most * 210, `${load}: ${slow} of 600`);
    if (load === 'connections') assert.ok(slow > 150, `${load}: ${slow} of 600`);
  }
});

test('an endpoint that was slow is tried again when its peak has faded, and trusted again', () => {
  const trial = new Trial(by('latency'));
  trial.resolve(bound('A', 'B'));
  share(trial, 100, slowA);
  assert.ok((latency(at(trial, 'A'), trial.now) ?? 0) > 10);
  trial.pass(60_000);
  const after = share(trial, 400, () => 1).get('A') ?? 0;
  assert.ok(after > 120, `${after} of 400`);
});

test('a peak counts in full at once, and fades to a third in 10 s', () => {
  const trial = new Trial(by('latency'));
  trial.resolve(bound('A'));
  assert.equal(latency(at(trial, 'A'), trial.now), undefined);
  visit(trial, () => 100);
  assert.equal(latency(at(trial, 'A'), trial.now), 100);
  trial.pass(10_000);
  const faded = latency(at(trial, 'A'), trial.now) ?? 0;
  assert.ok(Math.abs(faded - 100 / Math.E) < 0.01, `${faded}`);
  visit(trial, () => 200);
  assert.equal(latency(at(trial, 'A'), trial.now), 200);
  visit(trial, () => 1);
  const eased = latency(at(trial, 'A'), trial.now) ?? 0;
  assert.ok(eased > 190 && eased < 200, 'one good answer does not make it good');
});

test('one that has never answered gets one connection at a time', () => {
  const trial = new Trial(by('latency'));
  trial.resolve(bound('A', 'B'));
  const first = [1, 2, 3, 4].map(() => trial.arrive(++lastConn)[0]);
  assert.equal(first.filter((told) => told === 'connect A').length, 2);
});

test('by throughput the endpoint that moves bytes gets fewer connections, until it falls quiet', () => {
  const trial = new Trial(by('throughput'));
  trial.resolve(bound('A', 'B'));
  for (let second = 0; second < 20; second++) {
    trial.pass(1000);
    trial.take({ t: 'sampled', moved: new Map([['A', 1_000_000]]) });
  }
  const known = rate(at(trial, 'A'), trial.now);
  assert.ok(known > 800_000 && known <= 1_000_000, `${known} bytes a second`);
  assert.equal(share(trial, 100, () => 1).get('A') ?? 0, 0);
  trial.pass(300_000);
  const after = share(trial, 100, () => 1).get('A') ?? 0;
  assert.ok(after > 20, `${after} of 100`);
});

test('weights count beside what is carried: twice the weight may carry twice as much', () => {
  const trial = new Trial(by('throughput'));
  trial.resolve(bound('A*4', 'B'));
  for (let second = 0; second < 60; second++) {
    trial.pass(1000);
    trial.take({
      t: 'sampled',
      moved: new Map([
        ['A', 2_000_000],
        ['B', 1_000_000],
      ]),
    });
  }
  assert.ok((share(trial, 50, () => 0).get('A') ?? 0) === 50);
});

test('a reload changes what is balanced from the next connection on', () => {
  const trial = new Trial();
  trial.resolve(bound('A', 'B'));
  share(trial, 200, slowA);
  trial.configure(by('latency'));
  const slow = share(trial, 200, slowA).get('A') ?? 0;
  assert.ok(slow < 20, `${slow} of 200: what was seen before counts`);
});

test('what streams move is read as differences, ended ones included once', () => {
  const meter = new Meter();
  const streams = [
    { rx: 10, tx: 0 },
    { rx: 0, tx: 5 },
    { rx: 1, tx: 1 },
  ];
  streams.forEach((stream, dial) => {
    meter.add(dial, dial === 2 ? 'B' : 'A', stream);
  });
  assert.deepEqual(
    [...meter.read()],
    [
      ['A', 15],
      ['B', 2],
    ],
  );
  assert.deepEqual([...meter.read()], []);
  if (streams[0] !== undefined) streams[0].rx = 110;
  meter.end(1, 25);
  meter.end(7, 1000);
  assert.deepEqual([...meter.read()], [['A', 120]]);
  meter.end(0, 110);
  meter.end(2, 2);
  assert.deepEqual([...meter.read()], []);
});
