/** What workers share and what is summed of them: limits divided, counts that never fall, one view of all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { Ledger } from '../src/admin/ledger.ts';
import { METRICS } from '../src/admin/metric-list.ts';
import type { Counted, Snapshot } from '../src/admin/snapshot.ts';
import { loadConfig } from '../src/config/load.ts';
import { DEFAULT_POLICY } from '../src/config/policy.ts';
import type { EndpointView, RouterView } from '../src/view.ts';
import { mergeViews } from '../src/workers/merge-views.ts';
import { shareConfig, shareOf } from '../src/workers/shares.ts';
import { FILES } from './support/tls-settings.ts';

const COUNTER = 'l5d:balancer:connection:attempts';

test('shares of a limit add up to it, and differ by one at most', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 64 }), (total, workers) => {
      const shares = Array.from({ length: workers }, (_, slot) =>
        shareOf(total, { slot, workers }),
      );
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        total,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
  );
});

test('a worker’s config has its share of every limit, also of those that the file leaves out', () => {
  const loaded = loadConfig(
    `
maxBufferedBytes: 8388608
routers:
  - label: a
    interpreter: { kind: static, names: {} }
    bindingCache: { paths: 10 }
    client: { minConnections: 3, requeueBudget: { minRetriesPerSec: 4 } }
    servers: [{ port: 1, dstName: /a, maxConcurrency: 1 }]`,
    FILES,
  );
  assert.ok(isRight(loaded));
  const { config } = loaded.right;
  const shared = [0, 1].map((slot) => shareConfig(config, DEFAULT_POLICY, { slot, workers: 2 }));
  const of = <T>(read: (config: (typeof shared)[number]) => T): readonly T[] => shared.map(read);
  assert.deepEqual(
    of(({ maxBufferedBytes }) => maxBufferedBytes),
    [4_194_304, 4_194_304],
  );
  assert.deepEqual(
    of(({ routers }) => routers[0]?.bindingCache.paths),
    [5, 5],
  );
  assert.deepEqual(
    of(({ routers }) => routers[0]?.servers[0]?.maxConcurrency),
    [1, 1],
    'none can do without',
  );
  const settings = of(({ routers }) => routers[0]?.client.map((block) => block.settings) ?? []);
  assert.deepEqual(
    settings.map((blocks) => blocks.map(({ maxWaiters }) => maxWaiters)),
    [
      [500_000, undefined],
      [500_000, undefined],
    ],
  );
  assert.deepEqual(
    settings.map((blocks) => blocks.map(({ minConnections }) => minConnections)),
    [
      [0, 2],
      [0, 1],
    ],
  );
  assert.equal(settings[0]?.[1]?.requeueBudget?.minRetriesPerSec, 2);
});

const counted = (
  dst: string,
  count: number,
  gauges: Readonly<Record<string, number>> = {},
): Counted => ({
  scope: 'name',
  labels: { dst, rt: 'main' },
  counters: new Map([[COUNTER, count]]),
  split: new Map([['l5d:balancer:connection:failure', new Map([['refused', count]])]]),
  stats: new Map([
    [
      'l5d:balancer:connection:latency_us',
      { bounds: [1, 10], counts: Float64Array.of(count, 0, 1), sum: count },
    ],
  ]),
  gauges: new Map(Object.entries(gauges)),
});

/** The sum of a name: its counter, its split counter, the first bucket of its stat. */
const sumOf = (ledger: Ledger, dst: string): readonly (number | undefined)[] | undefined => {
  const tally = ledger
    .total(true)
    .of('name')
    .find(({ labels }) => labels['dst'] === dst);
  if (tally === undefined) return undefined;
  return [
    tally.counters.get(COUNTER),
    tally.split.get('l5d:balancer:connection:failure')?.get('refused'),
    tally.stats.get('l5d:balancer:connection:latency_us')?.counts[0],
  ];
};

const process = fc.constantFrom('0', '1', '2');
const name = fc.constantFrom('/a', '/b');
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ t: fc.constant('add' as const), process, name, n: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      t: fc.constantFrom('drop' as const, 'end' as const),
      process,
      name,
      n: fc.constant(0),
    }),
  },
);

test('a sum never falls while anybody has the name, whoever ends or lets it go', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
      const ledger = new Ledger();
      const held = new Map<string, Map<string, number>>();
      const totals = new Map<string, number>();
      for (const { t, process: who, name: dst, n } of operations) {
        const names = held.get(who) ?? new Map<string, number>();
        held.set(who, names);
        if (t === 'add') {
          names.set(dst, (names.get(dst) ?? 0) + n);
          totals.set(dst, (totals.get(dst) ?? 0) + n);
        } else if (t === 'drop') names.delete(dst);
        else names.clear();
        const snapshot: Snapshot = [...names].map(([of, count]) => counted(of, count));
        if (t === 'end') ledger.lost(who);
        else ledger.update(who, snapshot);
        for (const of of ['/a', '/b']) {
          const isHeld = [...held.values()].some((each) => each.has(of));
          if (!isHeld) totals.delete(of);
          const total = totals.get(of);
          assert.deepEqual(sumOf(ledger, of), isHeld ? [total, total, total] : undefined);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('what nobody has is kept while not everybody has told', () => {
  const ledger = new Ledger();
  ledger.update('0', [counted('/a', 7)]);
  ledger.lost('0');
  const kept = ledger.total(false).of('name');
  assert.deepEqual(
    kept.map(({ counters }) => counters.get(COUNTER)),
    [7],
  );
  ledger.update('0', [counted('/a', 1)]);
  assert.deepEqual(sumOf(ledger, '/a')?.[0], 8, 'and goes on when it is back');
});

/** What becomes of 3 and 5, seen by two workers. */
const AMONG_WORKERS: Readonly<Record<string, number | undefined>> = {
  'l5d:balancer:endpoint:available': 5,
  'l5d:balancer:endpoint:failed': 5,
  'l5d:balancer:endpoint:retired': 5,
  'l5d:balancer:branch:available': 5,
  'l5d:balancer:branch:failed': 5,
  'l5d:balancer:resolution_age_seconds': 5,
  'l5d:balancer:connection:pending': 8,
  'l5d:balancer:connection:open': 8,
  'l5d:balancer:waiters': 8,
  'l5d:srv:active': 8,
  'l5d:srv:waiters': 8,
  'l5d:buffered_bytes': 8,
  'l5d:recorder:bytes': 8,
  'l5d:recorder:seconds': 5,
  'l5d:worker:active': 8,
  'l5d:namerd:watches': 8,
  // The primary knows.
  'l5d:router:names': undefined,
};

const amongWorkers = (metric: string): number | undefined => {
  const ledger = new Ledger();
  ledger.update('0', [counted('/a', 1, { [metric]: 3 })]);
  ledger.update('1', [counted('/a', 1, { [metric]: 5 })]);
  const { of, gauges } = ledger.total(true);
  const [tally] = of('name');
  assert.ok(tally);
  return gauges.get(metric, tally);
};

test('of every gauge it is said what becomes of it among workers', () => {
  const gauges = METRICS.filter(({ type }) => type === 'gauge');
  assert.deepEqual(
    Object.fromEntries(gauges.map(({ name }) => [name, amongWorkers(name)])),
    AMONG_WORKERS,
  );
});

const endpoint = (state: EndpointView['state'], load: number): EndpointView => ({
  address: '10.0.0.1:1',
  state,
  weight: 1,
  load,
  dialing: 0,
  open: load,
  consecutiveFailures: state === 'failed' ? 5 : 0,
});

const view = (dst: string, one: EndpointView): RouterView => ({
  label: 'main',
  connections: [],
  servers: [{ address: '127.0.0.1:1', dstName: dst, active: 1, waiting: 0 }],
  names: [{ dst, state: 'bound', stale: false, waiters: 1, spares: 0, endpoints: [one] }],
});

test('one view of a router: loads add up, and an endpoint that one worker takes is available', () => {
  const merged = mergeViews([
    view('/a', endpoint('failed', 1)),
    view('/a', endpoint('available', 2)),
    view('/b', endpoint('available', 4)),
  ]);
  assert.deepEqual(merged?.servers, [
    { address: '127.0.0.1:1', dstName: '/a', active: 3, waiting: 0 },
  ]);
  assert.deepEqual(
    merged?.names.map(({ dst, waiters, endpoints }) => [
      dst,
      waiters,
      endpoints[0]?.state,
      endpoints[0]?.load,
    ]),
    [
      ['/a', 2, 'available', 3],
      ['/b', 1, 'available', 4],
    ],
  );
  assert.equal(mergeViews([]), undefined);
});
