/** What workers share and what is summed of them: limits divided, counts that never fall, one view of all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { Gauges } from '../src/admin/gauges.ts';
import { Ledger } from '../src/admin/ledger.ts';
import { METRICS } from '../src/admin/metric-list.ts';
import { OTHER_NAMES } from '../src/admin/name-tallies.ts';
import { type Counted, takeSnapshot } from '../src/admin/snapshot.ts';
import { Tallies } from '../src/admin/tallies.ts';
import { loadConfig } from '../src/config/load.ts';
import { DEFAULT_POLICY } from '../src/config/policy.ts';
import type { EndpointView, RouterView } from '../src/view.ts';
import { mergeViews } from '../src/workers/merge-views.ts';
import { shareConfig, shareOf } from '../src/workers/shares.ts';
import { FILES } from './support/tls-settings.ts';

/** No bound on series. */
const MANY = 1000;

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
  serial = 0,
): Counted => ({
  serial,
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
    .total()
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

/** What becomes of one of these names at one process; an end is that of the process. */
const operations = (...names: readonly string[]) =>
  fc.array(
    fc.record({
      t: fc.oneof(
        { weight: 5, arbitrary: fc.constant('add' as const) },
        { weight: 2, arbitrary: fc.constantFrom('drop' as const, 'end' as const) },
      ),
      process,
      name: fc.constantFrom(...names),
      n: fc.nat(9),
    }),
    { maxLength: 60, size: 'max' },
  );

type Operation = ReturnType<typeof operations> extends fc.Arbitrary<(infer O)[]> ? O : never;

/** What a ledger must say of a name: what was counted while anybody had it, or is yet to be back that had. */
class Model {
  readonly held = new Map<string, Map<string, number>>();
  readonly #totals = new Map<string, number>();
  readonly #told = new Set<string>();
  /** Had by those that have ended, until they tell again. */
  readonly #awaited = new Map<string, ReadonlySet<string>>();

  add(who: string, dst: string, count: number): void {
    const names = this.of(who);
    names.set(dst, (names.get(dst) ?? 0) + count);
    this.#totals.set(dst, (this.#totals.get(dst) ?? 0) + count);
  }

  of(who: string): Map<string, number> {
    const names = this.held.get(who) ?? new Map<string, number>();
    this.held.set(who, names);
    return names;
  }

  told(who: string): void {
    this.#awaited.delete(who);
    this.#told.add(who);
  }

  ended(who: string): void {
    if (this.#told.delete(who)) this.#awaited.set(who, new Set(this.of(who).keys()));
    this.of(who).clear();
  }

  total(dst: string): number | undefined {
    const had = [...this.held.values(), ...this.#awaited.values()];
    if (!had.some((names) => names.has(dst))) this.#totals.delete(dst);
    return this.#totals.get(dst);
  }
}

/** Does it to both. */
const perform = (ledger: Ledger, model: Model, { t, process: who, name, n }: Operation): void => {
  if (t === 'add') model.add(who, name, n);
  if (t === 'drop') model.of(who).delete(name);
  if (t === 'end') {
    ledger.lost(who);
    model.ended(who);
  } else {
    const names = [...model.of(who)];
    ledger.update(
      who,
      names.map(([of, count]) => counted(of, count)),
    );
    model.told(who);
  }
};

test('a sum never falls while anybody has the name, whoever ends or lets it go', () => {
  fc.assert(
    fc.property(operations('/a', '/b'), (all) => {
      const ledger = new Ledger(() => MANY);
      const model = new Model();
      for (const operation of all) {
        perform(ledger, model, operation);
        for (const name of ['/a', '/b']) {
          const total = model.total(name);
          const wanted = total === undefined ? undefined : [total, total, total];
          assert.deepEqual(sumOf(ledger, name), wanted);
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** The counter of each series of names. */
const seriesOf = (ledger: Ledger): ReadonlyMap<string, number> =>
  new Map(
    ledger
      .total()
      .of('name')
      .map(({ labels, counters }) => [labels['dst'] ?? '', counters.get(COUNTER) ?? 0]),
  );

test('so many names as may have series of their own, the others one together, and no sum falls', () => {
  fc.assert(
    fc.property(operations('/a', '/b', '/c', '/d', '/e'), (all) => {
      const ledger = new Ledger(() => 2);
      const model = new Model();
      let before = seriesOf(ledger);
      for (const operation of all) {
        perform(ledger, model, operation);
        const series = seriesOf(ledger);
        assert.ok([...series.keys()].filter((dst) => dst !== OTHER_NAMES).length <= 2);
        for (const [dst, count] of series) assert.ok(count >= (before.get(dst) ?? 0), dst);
        for (const dst of [...model.held.values()].flatMap((names) => [...names.keys()]))
          assert.ok(series.has(dst) || series.has(OTHER_NAMES), dst);
        before = series;
      }
    }),
    { numRuns: 500 },
  );
});

test('a series that names share has what all of them have', () => {
  const ledger = new Ledger(() => 1);
  const gauges = (available: number, age: number) => ({
    'l5d:balancer:endpoint:available': available,
    'l5d:balancer:connection:open': 1,
    'l5d:balancer:resolution_age_seconds': age,
  });
  for (const who of ['0', '1'])
    ledger.update(who, [
      counted('/a', 1, gauges(9, 99)),
      counted('/b', 10, gauges(2, 7)),
      counted('/c', 100, gauges(3, 5)),
      // What a process itself has put together.
      counted(OTHER_NAMES, 1000),
    ]);
  assert.deepEqual(
    [...seriesOf(ledger)],
    [
      ['/a', 2],
      [OTHER_NAMES, 2220],
    ],
  );
  const total = ledger.total();
  const [, shared] = total.of('name');
  assert.ok(shared);
  assert.equal(total.gauges.get('l5d:balancer:endpoint:available', shared), 5);
  assert.equal(total.gauges.get('l5d:balancer:connection:open', shared), 4);
  assert.equal(total.gauges.get('l5d:balancer:resolution_age_seconds', shared), 7);
});

test('a name that is let go and had again between two looks goes on from what it had counted', () => {
  const ledger = new Ledger(() => 1);
  ledger.update('0', [counted('/a', 7)]);
  ledger.update('0', [counted('/a', 1, {}, 1)]);
  assert.deepEqual([...seriesOf(ledger)], [['/a', 8]]);
  ledger.update('0', [counted('/a', 2, {}, 1)]);
  assert.deepEqual([...seriesOf(ledger)], [['/a', 9]]);
});

test('what has gone on and what has begun anew are told apart in snapshots', () => {
  const serials = (tallies: Tallies): readonly number[] =>
    takeSnapshot(tallies, new Gauges()).map(({ serial }) => serial);
  const [one, other] = [new Tallies(() => 1), new Tallies(() => 1)];
  assert.deepEqual(serials(one), serials(one));
  assert.notDeepEqual(serials(one), serials(other));
});

test('a name that is let go makes room for the next that comes, and for none that is there', () => {
  const ledger = new Ledger(() => 1);
  ledger.update('0', [counted('/a', 1), counted('/b', 1)]);
  ledger.update('0', [counted('/b', 2)]);
  ledger.update('0', [counted('/b', 3), counted('/c', 5)]);
  assert.deepEqual(
    [...seriesOf(ledger)],
    [
      [OTHER_NAMES, 3],
      ['/c', 5],
    ],
  );
});

test('what nobody has is kept until whoever had it has told again', () => {
  const ledger = new Ledger(() => MANY);
  ledger.update('0', [counted('/a', 7)]);
  ledger.update('1', []);
  ledger.lost('0');
  ledger.update('1', [counted('/b', 1)]);
  assert.deepEqual(sumOf(ledger, '/a')?.[0], 7);
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
  const ledger = new Ledger(() => MANY);
  ledger.update('0', [counted('/a', 1, { [metric]: 3 })]);
  ledger.update('1', [counted('/a', 1, { [metric]: 5 })]);
  const { of, gauges } = ledger.total();
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
