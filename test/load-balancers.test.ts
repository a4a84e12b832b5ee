/** Load balancers of one’s own: what they are asked, whom they may choose, and what stands in for one that cannot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Candidate, LoadBalancer, Pool } from '../src/balancer/load-balancer.ts';
import { preview } from '../src/balancer/select.ts';
import type { ClientConfig, CustomBalancer } from '../src/config/config.ts';
import { clientPolicy } from '../src/config/policy.ts';
import { readConfig } from '../src/config/read.ts';
import type { Path } from '../src/path.ts';
import { makeLoadBalancer } from '../src/plugins/make.ts';
import { marbles } from '../src/testing/marbles.ts';
import { bound, endpoint, OWN, Trial } from './support/balancer.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';

const trialOf = (balancer: LoadBalancer, policy = {}): Trial =>
  new Trial({ ...OWN, ...policy }, 0.5, () => balancer);

/** Arrives so many times; gives whom they were sent to. */
const arrive = (trial: Trial, count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, i) => trial.arrive(from + i)).map(([told = '']) =>
    told.replace('connect ', ''),
  );

const inTurn: LoadBalancer = ({ candidates, turn }) => candidates[turn % candidates.length];

test('it chooses, and knows how often it has', () => {
  const trial = trialOf(inTurn);
  trial.resolve(bound('A', 'B*9', 'C'));
  assert.deepEqual(arrive(trial, 5), ['A', 'B', 'C', 'A', 'B']);
});

test('it sees weights, connections and loads as they are now', () => {
  let seen: readonly Candidate[] = [];
  const trial = trialOf(({ candidates }) => {
    seen = candidates;
    return candidates[0];
  });
  trial.resolve(bound('A*2', 'B', 'Z*0'));
  arrive(trial, 3);
  assert.deepEqual(seen, [
    { address: 'A', weight: 2, connections: 2, load: 2 },
    { address: 'B', weight: 1, connections: 0, load: 0 },
  ]);
  trial.configure({ loadBalancer: { ...OWN.loadBalancer, load: 'latency' } });
  arrive(trial, 1, 3);
  assert.deepEqual(
    seen.map(({ load }) => load),
    [180_000, 0],
  );
});

test('who has refused a connection is no candidate for it again, nor is who sits out a penalty', () => {
  const pools: string[] = [];
  const trial = trialOf(
    ({ candidates }) => {
      pools.push(candidates.map(({ address }) => address).join(''));
      return candidates[0];
    },
    { failFast: { maxConsecutiveFailures: 1, failurePenaltySecs: 60 } },
  );
  trial.resolve(bound('A', 'B', 'C'));
  arrive(trial, 1);
  trial.fail(0, 'local');
  trial.fail(1);
  arrive(trial, 1, 1);
  assert.deepEqual(pools, ['ABC', 'BC', 'C', 'AC']);
});

test('in a union the branch comes first', () => {
  const trial = trialOf(inTurn);
  const endpoints = ['A', 'B', 'C'].map(endpoint);
  const branches = [endpoints.slice(0, 1), endpoints.slice(1)].map((some, i) => ({
    weight: 1,
    part: { t: 'set' as const, id: `${i}`, endpoints: some },
  }));
  trial.resolve({ t: 'bound', endpoints, union: { t: 'union', branches } });
  const counts = new Map<string, number>();
  for (const name of arrive(trial, 100)) counts.set(name, (counts.get(name) ?? 0) + 1);
  assert.ok(Math.abs((counts.get('A') ?? 0) - 50) <= 2);
  assert.ok((counts.get('B') ?? 0) >= 15 && (counts.get('C') ?? 0) >= 15);
});

test('it draws by weight, and chance is the balancer’s own', () => {
  const seen: number[] = [];
  const drawing: LoadBalancer = (pool) => {
    seen.push(pool.random());
    const first = pool.draw();
    assert.ok(first !== undefined && pool.has(first) && pool.candidates.includes(first));
    assert.notEqual(pool.draw(first), first);
    return first;
  };
  const [one, other] = [trialOf(drawing), trialOf(drawing)].map((trial) => {
    trial.resolve(bound('A*8', 'B', 'C'));
    return arrive(trial, 300);
  });
  assert.deepEqual(one, other);
  assert.deepEqual(seen.slice(0, 300), seen.slice(300));
  const share = (one ?? []).filter((name) => name === 'A').length / 300;
  assert.ok(share > 0.7 && share < 0.9, `${share}`);
});

test('the only candidate draws nobody beside itself', () => {
  const trial = trialOf((pool) => pool.draw(pool.candidates[0]) ?? pool.candidates[0]);
  trial.resolve(bound('A'));
  assert.deepEqual(arrive(trial, 1), ['A']);
});

test('what it leaves open, or chooses from elsewhere, p2c decides', () => {
  for (const given of [undefined, { address: 'A', weight: 1, connections: 0, load: 0 }]) {
    const own = trialOf(() => given);
    const p2c = new Trial();
    for (const trial of [own, p2c]) trial.resolve(bound('A', 'B*3', 'C'));
    assert.deepEqual(arrive(own, 50), arrive(p2c, 50));
  }
});

test('a reload takes another into use', () => {
  const trial = new Trial({}, 0.5, ({ by }) =>
    by === 'last' ? ({ candidates }) => candidates.at(-1) : inTurn,
  );
  trial.resolve(bound('A', 'B', 'C'));
  trial.configure({
    loadBalancer: { ...OWN.loadBalancer, kind: 'custom', by: 'last', options: {}, place: '' },
  });
  assert.deepEqual(arrive(trial, 2), ['C', 'C']);
  trial.configure(OWN);
  assert.deepEqual(arrive(trial, 2, 2), ['C', 'A']);
});

test('to ask what comes next changes nothing', () => {
  const trial = trialOf(inTurn);
  trial.resolve(bound('A', 'B', 'C'));
  arrive(trial, 1);
  const looks = [preview(trial.state, trial.state.at), preview(trial.state, trial.state.at)];
  assert.deepEqual(
    looks.map((one) => one?.chosen),
    ['B', 'B'],
  );
  assert.deepEqual(
    looks[0]?.drawn.map(({ address }) => address),
    ['B'],
  );
  assert.deepEqual(arrive(trial, 1, 1), ['B']);
});

const block = (
  prefix: string,
  loadBalancer: ClientConfig['settings']['loadBalancer'],
): ClientConfig => ({
  prefix,
  settings: loadBalancer === undefined ? {} : { loadBalancer },
});

test('of several client blocks the last kind wins, and a load is kept until another is set', () => {
  const { load: _, ...own } = OWN.loadBalancer as CustomBalancer;
  const client = [
    block('/', { kind: 'p2c', load: 'latency' }),
    block('/svc', own),
    block('/svc/plain', { kind: 'p2c' }),
  ];
  assert.deepEqual(clientPolicy(client, '/svc/a' as Path).loadBalancer, {
    ...own,
    load: 'latency',
  });
  assert.deepEqual(clientPolicy(client, '/svc/plain' as Path).loadBalancer, {
    kind: 'p2c',
    load: 'latency',
  });
});

/** A configuration whose load balancer this is, as a plugin writes it. */
const load = async (scope: Scope, plugin: string): Promise<CustomBalancer> => {
  const folder = await temporaryFolder(scope);
  await writeIn(folder, 'p.mjs', plugin);
  const file = await writeIn(
    folder,
    'c.yaml',
    `plugins: [./p.mjs]
routers:
- label: r
  dtab: ''
  servers: [{port: 1, dstName: /svc/a}]
  client: {kind: io.l5d.global, loadBalancer: {kind: com.example.turns}}
`,
  );
  const loaded = readConfig(file);
  if (isLeft(loaded)) assert.fail(loaded.left.join('\n'));
  const { loadBalancer } = clientPolicy(
    loaded.right.config.routers[0]?.client ?? [],
    '/svc/a' as Path,
  );
  assert.ok(loadBalancer.kind === 'custom');
  return loadBalancer;
};

const plugin = (make: string): string =>
  `export default ({ kind, t }) => ({ api: 1, loadBalancers: { 'com.example.turns': kind(t.type({}), ${make}) } });`;

const BROKEN: Readonly<Record<string, readonly [make: string, error: string]>> = {
  'throws when it is made': ['() => { throw new Error("oh"); }', 'Error: oh'],
  'throws when it is asked': ['() => () => { throw new Error("no"); }', 'Error: no'],
  'is no function': ['() => 3', 'TypeError: made is not a function'],
  'promises to choose': [
    '() => async (pool) => pool.candidates[0]',
    'it chose what is no candidate',
  ],
  'chooses by address': [
    '() => (pool) => pool.candidates[0].address',
    'it chose what is no candidate',
  ],
};

for (const [what, [make, error]] of Object.entries(BROKEN))
  test(`one that ${what} is logged once in a while, and p2c stands in`, async (t) => {
    const config = await load(makeScope(t), plugin(make));
    marbles(({ env, logged }) => {
      const balancer = makeLoadBalancer(config, env);
      const trial = trialOf(balancer);
      trial.resolve(bound('A', 'B'));
      assert.equal(new Set(arrive(trial, 20)).size, 2);
      assert.deepEqual(logged, [
        `error a load balancer broke loadBalancer=com.example.turns routers[0].client.loadBalancer error=${error}`,
      ]);
    });
  });

test('a marble test runs that of a plugin', async (t) => {
  const path = await writeIn(await temporaryFolder(makeScope(t)), 'p.mjs', WHOLE);
  const config = {
    plugins: [path],
    routers: [
      {
        label: 'r',
        dtab: '',
        servers: [{ port: 1, dstName: '/svc/a' }],
        client: { kind: 'io.l5d.global', loadBalancer: { kind: 'com.example.turns', step: 2 } },
      },
    ],
  };
  marbles((m) => {
    const r = m.router(config, {
      names: { '/svc/a': ['a', 'b', 'c'] },
      endpoints: { a: 'u', b: 'u', c: 'u' },
    });
    r.arrive(m.hot('        x-x-x-x', { x: {} }));
    m.expect(r.dialed$).toBe('a-c-b-a');
  });
});

test('a pool counts connections with their retries', () => {
  const turns: Pool['turn'][] = [];
  const trial = trialOf((pool) => {
    turns.push(pool.turn);
    return inTurn(pool);
  });
  trial.resolve(bound('A', 'B'));
  arrive(trial, 1);
  trial.fail(0);
  arrive(trial, 1, 1);
  assert.deepEqual(turns, [0, 1, 2]);
});
