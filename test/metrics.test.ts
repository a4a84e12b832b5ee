/** Metrics: what each event counts as, which series there are, and how a scrape reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { METRICS, metricsMarkdown } from '../src/admin/metric-list.ts';
import { type Metrics, makeMetrics } from '../src/admin/metrics.ts';
import { OTHER_NAMES } from '../src/admin/name-tallies.ts';
import { Stat } from '../src/admin/series.ts';
import type { CloseReason } from '../src/close-reason.ts';
import type { Envelope } from '../src/envelope.ts';
import type { ConnectionRecord, RouterEvent } from '../src/event.ts';
import { type Path, parsePath } from '../src/path.ts';
import type { NameGauges, ServerGauges } from '../src/view.ts';

const path = (text: string): Path => {
  const parsed = parsePath(text);
  if (isLeft(parsed)) throw new Error(parsed.left);
  return parsed.right;
};

const RT = 'r';
const SRV = '127.0.0.1:7474';
const WEB = path('/svc/web');
const ENDPOINT = '10.0.0.1:80';

const envelope = (dst: Path = WEB): Envelope => ({
  id: 1,
  rt: RT,
  rule: '',
  srv: SRV,
  src: '127.0.0.1:5',
  dst,
  at: 0,
  deadline: 1000,
});

const ended = (reason: CloseReason, rest: Partial<ConnectionRecord> = {}): RouterEvent => ({
  t: 'ended',
  record: {
    envelope: envelope(),
    attempts: 1,
    rx: 0,
    tx: 0,
    totalMs: 50,
    close: { reason, by: 'proxy' },
    ...rest,
  },
});

const named = (dst: Path = WEB): RouterEvent => ({ t: 'named', rt: RT, dst });
const unnamed = (dst: Path = WEB): RouterEvent => ({ t: 'unnamed', rt: RT, dst });
const dialed = (dst: Path = WEB): RouterEvent => ({ t: 'dialed', rt: RT, dst, endpoint: ENDPOINT });

const gaugesOf = (dst: string, rest: Partial<NameGauges> = {}): NameGauges => ({
  rt: RT,
  dst,
  available: 1,
  failed: 0,
  retired: 0,
  pending: 0,
  open: 2,
  waiters: 0,
  ...rest,
});

interface World {
  names: readonly NameGauges[];
  servers: readonly ServerGauges[];
  maxNameSeries: number;
  kept: readonly string[];
}

interface Fixture {
  readonly metrics: Metrics;
  readonly world: World;
  readonly record: (...events: readonly RouterEvent[]) => void;
  /** Series with their values of one scrape. */
  readonly scrape: () => Promise<ReadonlyMap<string, number>>;
}

const LISTENING: ServerGauges = { rt: RT, srv: SRV, active: 0, waiters: 0, rx: 0, tx: 0 };

/** Reads the text format as strictly as it is written here. Errors: throws at a line that is none. */
const parse = (text: string): ReadonlyMap<string, number> => {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const [, id, value] = /^([a-zA-Z_:][\w:]*(?:\{[^\n]*\})?) (\S+)$/.exec(line) ?? [];
    assert.ok(id !== undefined, `no sample: ${line}`);
    assert.ok(!series.has(id), `told twice: ${id}`);
    series.set(id, Number(value));
  }
  return series;
};

const fixture = (): Fixture => {
  const world: World = { names: [], servers: [LISTENING], maxNameSeries: 500, kept: [] };
  const metrics = makeMetrics({
    names: () => world.names,
    servers: () => world.servers,
    bufferedBytes: () => 12,
    logDropped: () => 3,
    maxNameSeries: () => world.maxNameSeries,
    keeps: (rt) => world.kept.includes(rt),
  });
  return {
    metrics,
    world,
    record: (...events) => events.forEach(metrics.record),
    scrape: async () => parse(await metrics.render(turn)),
  };
};

const srv = (name: string, extra = ''): string =>
  `l5d:srv:${name}{${extra}rt="${RT}",srv_addr="${SRV}"}`;
const dst = (name: string, extra = '', of = '/svc/web'): string =>
  `l5d:balancer:${name}{${extra}dst="${of}",rt="${RT}"}`;

/** Asserts on some series of a scrape. */
const expect = (
  found: ReadonlyMap<string, number>,
  wanted: Readonly<Record<string, number | undefined>>,
): void => {
  const picked = Object.fromEntries(Object.keys(wanted).map((id) => [id, found.get(id)]));
  assert.deepEqual(picked, wanted);
};

test('the list names each metric once, with labels in order', () => {
  const names = METRICS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, labels, help } of METRICS) {
    assert.match(name, /^l5d:[a-z_:]+$/);
    const own = labels.filter((label) => label !== 'cause' && label !== 'reason');
    assert.deepEqual(own, [...own].sort(), name);
    assert.match(help, /\.$/, name);
  }
});

test('the Markdown table has a row of four cells for each metric', () => {
  const rows = metricsMarkdown().split('\n');
  assert.equal(rows.length, METRICS.length + 2);
  for (const row of rows) assert.equal(row.split('|').length, 6, row);
});

test('a stream that ends well counts as accepted, connected and closed, not as a failure', async () => {
  const { record, scrape } = fixture();
  record(
    { t: 'accepted', rt: RT, srv: SRV },
    named(),
    { t: 'routed', rt: RT, dst: WEB, isNew: true, us: 3 },
    dialed(),
    { t: 'connected', rt: RT, dst: WEB, endpoint: ENDPOINT, us: 250 },
    { t: 'opened', envelope: envelope(), endpoint: ENDPOINT, connectMs: 4 },
    ended('end', { endpoint: ENDPOINT, rx: 10, tx: 20, connectMs: 4, totalMs: 54 }),
  );
  expect(await scrape(), {
    [srv('accepts')]: 1,
    [srv('closes')]: 1,
    [srv('failures')]: 0,
    [srv('close', 'reason="end",')]: 1,
    [srv('connect:latency_us_sum')]: 4000,
    [srv('stream:duration_ms_sum')]: 50,
    [srv('stream:duration_ms_count')]: 1,
    [srv('stream:connection_rx_bytes_sum')]: 10,
    [srv('stream:connection_tx_bytes_sum')]: 20,
    [srv('stream:failure', 'cause="other",')]: undefined,
    [srv('tls:handshake_us_count')]: undefined,
    [`l5d:route_create{rt="${RT}"}`]: 1,
    [`l5d:route_found{rt="${RT}"}`]: 0,
    [`l5d:route_time_us_sum{rt="${RT}"}`]: 3,
    [dst('connection:attempts')]: 1,
    [dst('connection:connects')]: 1,
    [dst('connection:latency_us_sum')]: 250,
    [dst('connection:duration_ms_sum')]: 50,
    [dst('poll_time_us_sum')]: 4000,
    [dst('unavailable')]: 0,
  });
});

test('routes that make a name, find one and find none are told apart', async () => {
  const { record, scrape } = fixture();
  record(
    named(),
    { t: 'routed', rt: RT, dst: WEB, isNew: true, us: 9 },
    { t: 'routed', rt: RT, dst: WEB, isNew: false, us: 1 },
    { t: 'routed', rt: RT, dst: WEB, isNew: false, us: 1 },
    { t: 'unrouted', rt: RT },
  );
  expect(await scrape(), {
    [`l5d:route_create{rt="${RT}"}`]: 1,
    [`l5d:route_found{rt="${RT}"}`]: 2,
    [`l5d:route_error{rt="${RT}"}`]: 1,
    [`l5d:route_time_us_count{rt="${RT}"}`]: 3,
  });
});

const CAUSES: readonly (readonly [CloseReason, string, string])[] = [
  ['connect-timeout', 'connect', 'timeout'],
  ['no-endpoints', 'connect', 'other'],
  ['departed', 'connect', 'other'],
  ['idle-timeout', 'stream', 'timeout'],
  ['lifetime', 'stream', 'timeout'],
  ['half-close-timeout', 'stream', 'timeout'],
  ['reset', 'stream', 'other'],
  ['shutdown', 'stream', 'other'],
];

for (const [reason, stage, cause] of CAUSES) {
  test(`${reason} is a ${stage} failure by ${cause}`, async () => {
    const { record, scrape } = fixture();
    record(ended(reason, stage === 'stream' ? { endpoint: ENDPOINT, connectMs: 1 } : {}));
    const other = stage === 'stream' ? 'connect' : 'stream';
    expect(await scrape(), {
      [srv('failures')]: 1,
      [srv('closes')]: 1,
      [srv('close', `reason="${reason}",`)]: 1,
      [srv(`${stage}:failure`, `cause="${cause}",`)]: 1,
      [srv(`${other}:failure`, 'cause="timeout",')]: undefined,
      [srv(`${other}:failure`, 'cause="other",')]: undefined,
    });
  });
}

test('a connection turned away before it was routed is a failure with its reason', async () => {
  const { record, scrape } = fixture();
  const close = { reason: 'max-concurrency', by: 'proxy' } as const;
  record({ t: 'rejected', rt: RT, srv: SRV, src: '127.0.0.1:5', close });
  expect(await scrape(), {
    [srv('failures')]: 1,
    [srv('closes')]: 0,
    [srv('rejected', 'reason="max-concurrency",')]: 1,
    [srv('close', 'reason="max-concurrency",')]: undefined,
  });
});

test('only what the name could not give counts as unavailable', async () => {
  const { record, scrape } = fixture();
  record(named());
  for (const reason of ['no-endpoints', 'no-such-name', 'connect-failed', 'retry-budget'] as const)
    record(ended(reason));
  record(ended('departed'), ended('max-waiters'), ended('connect-timeout'));
  expect(await scrape(), { [dst('unavailable')]: 4 });
});

test('our own trouble with a dial is told as cause other', async () => {
  const { record, scrape } = fixture();
  record(named());
  for (const cause of ['timeout', 'refused', 'local', 'other'] as const)
    record({ t: 'dialFailed', rt: RT, dst: WEB, endpoint: ENDPOINT, cause, detail: '' });
  expect(await scrape(), {
    [dst('connection:failure', 'cause="timeout",')]: 1,
    [dst('connection:failure', 'cause="refused",')]: 1,
    [dst('connection:failure', 'cause="other",')]: 2,
    [dst('connection:failure', 'cause="local",')]: undefined,
  });
});

test('look-ups and handshakes are counted and timed', async () => {
  const { record, scrape } = fixture();
  const lookUp = { t: 'resolved', rt: RT, namespace: 'default', dst: WEB } as const;
  record(
    { ...lookUp, ok: true, ms: 5 },
    { ...lookUp, ok: false, ms: 7, cause: 'x' },
    { t: 'secured', rt: RT, srv: SRV, us: 900, isResumed: false },
  );
  const labels = `{namespace="default",rt="${RT}"}`;
  expect(await scrape(), {
    [`l5d:resolver:success_count${labels}`]: 1,
    [`l5d:resolver:failure_count${labels}`]: 1,
    [`l5d:resolver:request_latency_ms_sum${labels}`]: 12,
    [srv('tls:handshake_us_count')]: 1,
    [srv('tls:handshake_us_sum')]: 900,
  });
});

test('look-ups for a router of other processes are kept as long as it is', async () => {
  const { record, scrape, world } = fixture();
  world.servers = [];
  world.kept = [RT];
  record({ t: 'resolved', rt: RT, namespace: 'default', dst: WEB, ok: true, ms: 5 });
  const series = `l5d:resolver:success_count{namespace="default",rt="${RT}"}`;
  expect(await scrape(), { [series]: 1 });
  expect(await scrape(), { [series]: 1 });
  world.kept = [];
  await scrape();
  expect(await scrape(), { [series]: undefined });
});

test('gauges are what is alive at the scrape', async () => {
  const { record, scrape, world } = fixture();
  record(named());
  world.names = [gaugesOf('/svc/web', { failed: 4, waiters: 5, resolutionAgeMs: 1500 })];
  world.servers = [{ ...LISTENING, active: 7, waiters: 6 }];
  expect(await scrape(), {
    [dst('endpoint:available')]: 1,
    [dst('endpoint:failed')]: 4,
    [dst('endpoint:retired')]: 0,
    [dst('connection:pending')]: 0,
    [dst('connection:open')]: 2,
    [dst('waiters')]: 5,
    [dst('resolution_age_seconds')]: 1.5,
    [srv('active')]: 7,
    [srv('waiters')]: 6,
    [`l5d:router:names{rt="${RT}"}`]: 1,
    'l5d:buffered_bytes': 12,
    'l5d:log:dropped': 3,
  });
});

test('a name that never resolved has no resolution age', async () => {
  const { record, scrape, world } = fixture();
  record(named());
  world.names = [gaugesOf('/svc/web')];
  expect(await scrape(), { [dst('resolution_age_seconds')]: undefined });
});

test('bytes of open streams are counted before they end, and once', async () => {
  const { record, scrape, world } = fixture();
  record(ended('end', { endpoint: ENDPOINT, rx: 100, tx: 200, connectMs: 1 }));
  world.servers = [{ ...LISTENING, active: 1, rx: 5, tx: 6 }];
  expect(await scrape(), { [srv('stream:rx_bytes')]: 105, [srv('stream:tx_bytes')]: 206 });
  record(ended('end', { endpoint: ENDPOINT, rx: 5, tx: 6, connectMs: 1 }));
  world.servers = [LISTENING];
  expect(await scrape(), { [srv('stream:rx_bytes')]: 105, [srv('stream:tx_bytes')]: 206 });
});

const namesIn = (found: ReadonlyMap<string, number>): readonly string[] => [
  ...new Set([...found.keys()].flatMap((id) => /dst="([^"]*)"/.exec(id)?.[1] ?? [])),
];

test('the series of a name go with it, and late events do not bring them back', async () => {
  const { record, scrape, world } = fixture();
  record(named(), dialed());
  world.names = [gaugesOf('/svc/web')];
  assert.deepEqual(namesIn(await scrape()), ['/svc/web']);
  record(unnamed(), dialed(), ended('no-endpoints'));
  world.names = [];
  assert.deepEqual(namesIn(await scrape()), []);
});

test('a name that is made anew before its old balancer has ended keeps its series', async () => {
  const { record, scrape } = fixture();
  record(named(), dialed(), named(), unnamed(), dialed());
  expect(await scrape(), { [dst('connection:attempts')]: 2 });
  record(unnamed());
  assert.deepEqual(namesIn(await scrape()), []);
});

test('names beyond the limit share one series, whose gauges add up', async () => {
  const { record, scrape, world } = fixture();
  world.maxNameSeries = 1;
  const all = ['/svc/a', '/svc/b', '/svc/c'].map(path);
  all.forEach((name) => {
    record(named(name), dialed(name));
  });
  world.names = all.map((name, i) => gaugesOf(name, { resolutionAgeMs: i * 1000 }));
  const found = await scrape();
  assert.deepEqual([...namesIn(found)].sort(), ['/svc/a', OTHER_NAMES]);
  expect(found, {
    [dst('connection:attempts', '', '/svc/a')]: 1,
    [dst('connection:attempts', '', OTHER_NAMES)]: 2,
    [dst('connection:open', '', OTHER_NAMES)]: 4,
    [dst('resolution_age_seconds', '', OTHER_NAMES)]: 2,
    [`l5d:router:names{rt="${RT}"}`]: 3,
  });
  world.names = [];
  record(...all.map(unnamed), named());
  assert.deepEqual(namesIn(await scrape()), ['/svc/web'], 'room is made when names go');
});

test('the series of a server stay until its last connection has ended', async () => {
  const { record, scrape, world } = fixture();
  record(
    { t: 'listening', rt: RT, srv: SRV },
    { t: 'accepted', rt: RT, srv: SRV },
    { t: 'unlistened', rt: RT, srv: SRV },
  );
  world.servers = [{ ...LISTENING, active: 1 }];
  await scrape();
  expect(await scrape(), { [srv('accepts')]: 1 });
  record(ended('end', { endpoint: ENDPOINT, connectMs: 1 }));
  world.servers = [];
  expect(await scrape(), { [srv('closes')]: 1 });
  expect(await scrape(), {
    [srv('closes')]: undefined,
    [`l5d:route_found{rt="${RT}"}`]: undefined,
  });
});

test('label values are escaped', async () => {
  const { record, scrape } = fixture();
  record({ t: 'unrouted', rt: 'a"b\\c\nd' });
  expect(await scrape(), { 'l5d:route_error{rt="a\\"b\\\\c\\nd"}': 1 });
});

test('each metric has its HELP and TYPE once, however many slices it took', async () => {
  const { record, metrics } = fixture();
  for (let i = 0; i < 300; i += 1) record(named(path(`/svc/${i}`)));
  const lines = (await metrics.render(turn)).split('\n');
  const headed = lines.filter((line) => line.startsWith('# TYPE '));
  assert.equal(new Set(headed).size, headed.length);
  assert.ok(headed.includes('# TYPE l5d:balancer:connection:latency_us histogram'));
  assert.ok(headed.includes('# TYPE l5d:srv:accepts counter'));
  assert.ok(headed.includes('# TYPE l5d:srv:active gauge'));
  assert.equal(lines.filter((line) => line.startsWith('# HELP ')).length, headed.length);
  assert.equal(lines.filter((line) => line.includes('latency_us_count{dst=')).length, 300);
});

test('a scrape of many names lets the loop turn between slices of them', async () => {
  const { record, metrics } = fixture();
  for (let i = 0; i < 500; i += 1) record(named(path(`/svc/${i}`)));
  let turns = 0;
  await metrics.render(async () => {
    turns += 1;
  });
  assert.ok(
    turns >= METRICS.filter(({ labels }) => labels.includes('dst')).length + 3 * 20,
    `${turns}`,
  );
});

test('two scrapes at once are both whole', async () => {
  const { record, scrape } = fixture();
  for (let i = 0; i < 60; i += 1) record(named(path(`/svc/${i}`)));
  const [first, second] = await Promise.all([scrape(), scrape()]);
  assert.deepEqual(first, second);
  assert.equal(namesIn(first).length, 60);
});

test('a scrape looks at nothing before the one ahead of it is done', async () => {
  const { metrics, record } = fixture();
  record(named());
  const order: string[] = [];
  const told = (who: string) => async (): Promise<void> => {
    await turn();
    if (order.at(-1) !== who) order.push(who);
  };
  await Promise.all([metrics.render(told('first')), metrics.render(told('second'))]);
  assert.deepEqual(order, ['first', 'second']);
});

test('a scrape that fails does not stop the next', async () => {
  const { metrics, scrape } = fixture();
  await assert.rejects(
    metrics.render(() => Promise.reject(new Error('no turn'))),
    /no turn/,
  );
  expect(await scrape(), { 'l5d:buffered_bytes': 12 });
});

test('a histogram puts each value below its bound, and its buckets add up', async () => {
  const { record, scrape } = fixture();
  for (const us of [1, 30, 31, 1e9])
    record({ t: 'secured', rt: RT, srv: SRV, us, isResumed: false });
  const found = await scrape();
  const bucket = (le: string): number | undefined =>
    found.get(srv('tls:handshake_us_bucket', `le="${le}",`));
  assert.deepEqual(['1', '10', '30', '100', '10000000', '+Inf'].map(bucket), [1, 1, 2, 3, 3, 4]);
});

test('the search for a bucket agrees with looking at all of them', () => {
  const bounds = [1, 10, 30, 100, 300];
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (value) => {
      const stat = new Stat(bounds);
      stat.add(value);
      const wanted = bounds.filter((bound) => value > bound).length;
      assert.equal(stat.counts.indexOf(1), wanted);
    }),
  );
});
