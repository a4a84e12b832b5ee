/** The engine of a primary: a reload and a worker that is begun again do not get into each other’s way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Either } from 'fp-ts/lib/Either.js';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { concat, NEVER, of, ReplaySubject, Subject } from 'rxjs';
import { makeMetrics } from '../src/admin/metrics.ts';
import type { Counted } from '../src/admin/snapshot.ts';
import type { Config } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Engine, Prepared } from '../src/engine.ts';
import type { Path } from '../src/path.ts';
import type { Child } from '../src/workers/crew.ts';
import { fleetEngine } from '../src/workers/fleet.ts';
import type { Order, Word } from '../src/workers/protocol.ts';
import { bound } from './support/balancer.ts';
import type { HandClock } from './support/hand-clock.ts';
import { makeHandEnv } from './support/serving.ts';
import { FILES } from './support/tls-settings.ts';

const config = (port: number, maxNameSeries: number): Config => {
  const loaded = loadConfig(
    `admin: { maxNameSeries: ${maxNameSeries} }
routers: [{ label: a, interpreter: { kind: static, names: {} }, servers: [{ port: ${port}, dstName: /svc/a }] }]`,
    FILES,
  );
  assert.ok(isRight(loaded));
  return loaded.right.config;
};

const asked = (t: 'watch' | 'unwatch', dst: string, rt = 'a'): Word => ({
  t,
  rt,
  dst: dst as Path,
});

const WATCH = asked('watch', '/svc/a');

/** A worker of which the test is the other end. */
class Worker implements Child {
  readonly word$ = new Subject<Word>();
  readonly exit$ = new ReplaySubject<void>(1);
  readonly orders: Order[] = [];
  #ask = 0;

  readonly tell = (order: Order): void => {
    if (order.t === 'prepare') this.#ask = order.ask;
    this.orders.push(order);
  };

  readonly kill = (): void => undefined;

  /** What it was told since it was last asked, with the port of the config that it was to prepare. */
  told(): readonly string[] {
    return this.orders
      .splice(0)
      .map((order) =>
        order.t === 'prepare'
          ? `prepare ${order.config.routers[0]?.servers[0]?.address.port}`
          : order.t,
      );
  }

  /** Answers the last `prepare`. */
  answer(...errors: readonly string[]): void {
    this.word$.next({ t: 'prepared', ask: this.#ask, errors });
  }

  ready(): void {
    this.word$.next({ t: 'ready' });
  }

  exit(): void {
    this.exit$.next();
    this.word$.complete();
  }
}

const NOTHING = {
  serial: 0,
  counters: new Map(),
  split: new Map(),
  stats: new Map(),
  gauges: new Map(),
};

/** What a worker says that has accepted so many connections, and holds so many names. */
const counts = (accepts: number, names = 0): Word => ({
  t: 'counts',
  snapshot: [
    {
      ...NOTHING,
      scope: 'router',
      labels: { rt: 'a' },
      gauges: new Map([['l5d:router:names', names]]),
    },
    {
      ...NOTHING,
      scope: 'server',
      labels: { rt: 'a', srv_addr: '127.0.0.1:1' },
      counters: new Map([['l5d:srv:accepts', accepts]]),
    },
  ],
});

const attempted = (dst: string): Counted => ({
  ...NOTHING,
  scope: 'name',
  labels: { dst, rt: 'a' },
  counters: new Map([['l5d:balancer:connection:attempts', 1]]),
});

const start = (workers: number) => {
  const { clock, env } = makeHandEnv();
  const spawned: Worker[] = [];
  const engine: Engine = fleetEngine(
    {
      workers,
      spawn: () => {
        const worker = new Worker();
        spawned.push(worker);
        return worker;
      },
      interpreter$: () => of({ resolve: () => concat(of(bound('A')), NEVER) }),
      explain: () => NEVER,
      metrics: makeMetrics({
        names: () => [],
        servers: () => [],
        bufferedBytes: () => 0,
        logDropped: () => 0,
        maxNameSeries: () => 1,
      }),
      turn: () => Promise.resolve(),
    },
    env,
  );
  const prepare = (port: number, maxNameSeries = 1) => {
    const results: Either<readonly string[], Prepared>[] = [];
    engine.prepare(config(port, maxNameSeries)).subscribe((result) => results.push(result));
    return results;
  };
  return { clock, spawned, engine, prepare };
};

/** Two workers with config 1 in force, and a third process that takes the place of the second and is being brought up. */
const replacing = () => {
  const fleet = start(2);
  const { clock, spawned, prepare } = fleet;
  const first = prepare(1);
  for (const worker of spawned) worker.ready();
  for (const worker of spawned) worker.answer();
  const [result] = first;
  assert.ok(result !== undefined && isRight(result));
  result.right.commit();
  const [one, two] = spawned;
  assert.ok(one !== undefined && two !== undefined);
  assert.deepEqual(
    [one.told(), two.told()],
    [
      ['prepare 1', 'commit'],
      ['prepare 1', 'commit'],
    ],
  );
  two.exit();
  clock.advance(60_000);
  const late = spawned[2];
  assert.ok(late !== undefined);
  late.ready();
  assert.deepEqual(late.told(), ['prepare 1']);
  return { ...fleet, one, late };
};

test('a reload that is refused takes nothing from a worker that is being brought up', () => {
  const { prepare, one, late } = replacing();
  const refused = prepare(2);
  assert.deepEqual([one.told(), late.told()], [['prepare 2'], []]);
  one.answer('port taken');
  assert.ok(refused[0] !== undefined && isLeft(refused[0]));
  assert.deepEqual([one.told(), late.told()], [['cancel'], []]);
  late.answer();
  assert.deepEqual(late.told(), ['commit']);
});

test('a reload that passes a worker by is brought to it when it is up', () => {
  const { prepare, one, late } = replacing();
  const results = prepare(2);
  one.answer();
  const [reloaded] = results;
  assert.ok(reloaded !== undefined && isRight(reloaded));
  reloaded.right.commit();
  assert.deepEqual([one.told(), late.told()], [['prepare 2', 'commit'], []]);
  late.answer();
  assert.deepEqual(late.told(), ['commit', 'prepare 2']);
  late.answer();
  assert.deepEqual(late.told(), ['commit']);
});

test('a worker that comes up while others prepare a reload gets it after them', () => {
  const { prepare, one, late } = replacing();
  const results = prepare(2);
  late.answer();
  assert.deepEqual(late.told(), ['commit']);
  one.answer();
  const [reloaded] = results;
  assert.ok(reloaded !== undefined && isRight(reloaded));
  reloaded.right.commit();
  assert.deepEqual([one.told(), late.told()], [['prepare 2', 'commit'], ['prepare 2']]);
  late.answer();
  assert.deepEqual(late.told(), ['commit']);
});

test('a worker that begins is told what names are before it is to prepare anything', () => {
  const { clock, spawned, one, late } = replacing();
  one.word$.next(WATCH);
  assert.deepEqual(one.told(), ['resolved']);
  late.exit();
  clock.advance(60_000);
  const next = spawned[3];
  assert.ok(next !== undefined);
  next.ready();
  assert.deepEqual(next.orders[0], { ...WATCH, t: 'resolved', resolution: bound('A') });
  assert.deepEqual(next.told(), ['resolved', 'prepare 1']);
});

/** All metrics, of workers that do not answer. */
const scrape = (engine: Engine, clock: HandClock): Promise<string> => {
  const rendered = engine.metrics();
  clock.advance(60_000);
  return rendered;
};

test('while workers say nothing, the primary asks nothing and has no timer', () => {
  const { clock, one, late } = replacing();
  late.answer();
  late.told();
  clock.advance(3_600_000);
  assert.deepEqual([one.told(), late.told(), clock.waiting()], [[], [], 0]);
});

test('what a worker has said unasked stands when it is killed', async () => {
  const { engine, one, clock } = replacing();
  one.word$.next(counts(3));
  one.word$.next(counts(7));
  one.exit();
  const text = await scrape(engine, clock);
  assert.match(text, /^l5d:srv:accepts{rt="a",srv_addr="127\.0\.0\.1:1"} 7$/m);
});

test('a router has the names that any of its workers holds', async () => {
  const { engine, one, late, clock } = replacing();
  for (const [worker, ...held] of [
    [one, '/svc/a', '/svc/b'],
    [late, '/svc/b', '/svc/c'],
  ] as const) {
    for (const dst of held) worker.word$.next(asked('watch', dst));
    worker.word$.next(counts(0, held.length));
  }
  late.word$.next(asked('watch', '/svc/a', 'b'));
  assert.match(await scrape(engine, clock), /^l5d:router:names{rt="a"} 3$/m);
  one.word$.next(asked('unwatch', '/svc/a'));
  assert.match(await scrape(engine, clock), /^l5d:router:names{rt="a"} 2$/m);
});

test('a reload says how many names have series of their own, from the next name on', async () => {
  const { engine, one, late, clock, prepare } = replacing();
  late.answer();
  const tell = async (...names: readonly string[]): Promise<readonly string[]> => {
    one.word$.next({ t: 'counts', snapshot: names.map(attempted) });
    const text = await scrape(engine, clock);
    return text.match(/(?<=^l5d:balancer:connection:attempts{dst=")[^"]+/gm) ?? [];
  };
  assert.deepEqual(await tell('/svc/a', '/svc/b'), ['/svc/a', '…']);
  const results = prepare(2, 2);
  one.answer();
  late.answer();
  const [reloaded] = results;
  assert.ok(reloaded !== undefined && isRight(reloaded));
  reloaded.right.commit();
  assert.deepEqual(await tell('/svc/a', '/svc/b', '/svc/c'), ['/svc/a', '…', '/svc/c']);
});

test('a worker that is being brought up is not asked what it has counted', async () => {
  const { engine, one, late, clock } = replacing();
  await scrape(engine, clock);
  assert.deepEqual(
    [one, late].map((worker) => worker.told().includes('count')),
    [true, false],
  );
});
