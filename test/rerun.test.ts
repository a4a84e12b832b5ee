/** Worlds that were recorded, run again: the same configuration comes to the same ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, NEVER, of } from 'rxjs';
import { makeDice, roll } from '../src/balancer/random.ts';
import type { RouterEvent } from '../src/event.ts';
import { compare } from '../src/replay/compare.ts';
import { readLine } from '../src/replay/lines.ts';
import { rerun } from '../src/replay/rerun.ts';
import { type RecordedWorld, Worlds } from '../src/replay/world.ts';
import type { Behaviour } from '../src/testing/network.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import { makeVirtualDaemon } from '../src/testing/virtual-daemon.ts';
import { VirtualTime } from '../src/testing/virtual-time.ts';
import { bound } from './support/balancer.ts';

const CONFIG = {
  routers: [
    {
      label: 'a router',
      dtab: '',
      servers: [
        { port: 8080, dstName: '/svc/a', connectTimeoutMs: 500 },
        { port: 9090, dstName: '/svc/b', connectTimeoutMs: 500 },
      ],
      bindingCache: { paths: 100, idleTtlSecs: 2 },
    },
  ],
};

const ENDPOINT = '10.0.0.1:80';

/** Somebody who comes to a server at a time, and how the one endpoint is from then on. */
type Visit = readonly [at: number, server: number, endpoint: Partial<Behaviour>];

/** What a daemon records of some visits. */
const record = (visits: readonly Visit[]): RecordedWorld => {
  const time = new VirtualTime();
  const dice = makeDice(0.7);
  const daemon = makeVirtualDaemon(
    {
      config$: concat(of(loadUnopened(CONFIG)), NEVER),
      resolve: () => concat(of(bound(ENDPOINT)), NEVER),
      report: (_: RouterEvent) => undefined,
    },
    { scheduler: time, wallNow: time.now, random: () => roll(dice), log: () => undefined },
  );
  daemon.recorder.configure({ minutes: 10, maxBytes: 2 ** 22, hashAddresses: false });
  const running = daemon.run$.subscribe();
  for (const [at, server, behaviour] of visits) {
    time.flush(at);
    daemon.network.set(ENDPOINT, behaviour);
    daemon.arrive(`routers[0].servers[${server}]`, { source: '192.0.2.1:4711', lastsMs: 50 });
  }
  time.flush(60_000);
  const worlds = new Worlds();
  worlds.take({ t: 'core', core: 0, now: time.now() });
  for (const text of daemon.recorder.lines()) {
    const read = readLine(text, false);
    if (read.t === 'line') worlds.take(read.line);
  }
  running.unsubscribe();
  const [world] = worlds.worlds();
  assert.ok(world !== undefined);
  return world;
};

const UP = { health: 'up' } as const;

const WORLDS: Readonly<Record<string, readonly Visit[]>> = {
  'an endpoint that swallows dials, and comes back': [
    [0, 0, { health: 'hangs' }],
    [1000, 0, { health: 'hangs' }],
    [2000, 0, UP],
  ],
  'a name that is let go, and comes again': [
    [0, 0, UP],
    [10, 0, UP],
    [20_000, 0, UP],
    [20_010, 0, UP],
    [40_000, 1, UP],
  ],
  'an endpoint that refuses, and one that resets': [
    [0, 0, { health: 'refuses' }],
    [100, 1, { health: 'refuses' }],
    [3000, 0, { health: 'resets' }],
    [6000, 0, UP],
  ],
};

const FROM_RULES = { isFromBalancer: false };

for (const [what, visits] of Object.entries(WORLDS))
  test(`comes to the same ends: ${what}`, () => {
    const world = record(visits);
    assert.equal(world.visitors.length, visits.length);
    assert.equal(world.visitors[0]?.at, 0);
    const again = rerun(world, loadUnopened(CONFIG), FROM_RULES);
    const { alike, known, unknown } = compare(world.visitors, again, again);
    assert.deepEqual([alike, known, [...unknown]], [visits.length, visits.length, []]);
  });

test('who came to a server that the other configuration does not have finds nobody', () => {
  const world = record([[0, 0, UP]]);
  const [router] = CONFIG.routers;
  const fixed = { kind: 'static', names: { '/svc/b': ['10.0.0.2:80'] } };
  const { dtab: _, ...rest } = router ?? {};
  const servers = router?.servers.slice(1) ?? [];
  const other = loadUnopened({ routers: [{ ...rest, interpreter: fixed, servers }] });
  const { journal, unknown } = rerun(world, other, FROM_RULES);
  assert.equal(journal.connections[0]?.detail, 'nobody listens');
  assert.equal(unknown.size, 0);
});
