/** The namer of Consul against a server that answers as Consul’s documentation says; a real agent is not to be had here. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { of } from 'rxjs';
import type { NamerConfig } from '../src/config/config.ts';
import { makeHttp } from '../src/interpreter/http.ts';
import { makeConsul } from '../src/interpreter/namers/consul/consul.ts';
import { nextIndex } from '../src/interpreter/namers/consul/follow-service.ts';
import { type Choice, readInstances } from '../src/interpreter/namers/consul/instances.ts';
import type { Path } from '../src/path.ts';
import { type ConsulDouble, startConsul } from './support/consul-double.ts';
import { Listener, REAL, showBinding } from './support/naming.ts';

type Config = Extract<NamerConfig, { kind: 'io.l5d.consul' }>;

const start = (context: TestContext, consul: ConsulDouble, changes: Partial<Config> = {}) => {
  const config: Config = {
    kind: 'io.l5d.consul',
    prefix: '/io.l5d.consul' as Path,
    host: '127.0.0.1',
    port: consul.port,
    tls: undefined,
    pem: {},
    token: undefined,
    includeTag: false,
    useHealthCheck: true,
    healthStatuses: ['passing'],
    setHost: false,
    consistencyMode: 'default',
    preferServiceAddress: true,
    weights: [],
    ...changes,
  };
  const http = makeHttp({
    what: 'Consul',
    headers: () => ({ 'x-consul-token': config.token ?? '' }),
  });
  const resolve = () => of({ t: 'bound', ips: ['10.9.9.9'] } as const);
  const namer = makeConsul({ config, prefix: '/#/io.l5d.consul' as Path, resolve, http }, REAL);
  return (name: string) => new Listener(context, showBinding(namer(name as Path)));
};

test('a service is followed as its instances come, fail and go', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80 }, { port: 81, address: '10.0.0.2' });
  const web = start(t, consul)('/dc1/web/more');
  await web.until('10.0.0.1:80, 10.0.0.2:81');
  consul.set(
    'web',
    { port: 80, statuses: ['passing', 'critical'] },
    { port: 81, address: 'db.example' },
  );
  await web.until('10.9.9.9:81');
  consul.set('web', { port: 80, statuses: ['warning'] });
  await web.until('nobody');
  consul.set('web');
  await web.until('neg');
  consul.set('web', { port: 80, weights: { Passing: 7, Warning: 1 } });
  await web.until('10.0.0.1:80 * 7');
  const [first, second] = consul.asked;
  assert.equal(first?.path, '/v1/health/service/web');
  assert.equal(first?.params.get('dc'), 'dc1');
  assert.deepEqual([first?.params.get('index'), first?.params.get('wait')], [null, null]);
  assert.deepEqual([second?.params.get('index'), second?.params.get('wait')], ['11', '60s']);
});

test('names with tags, the own datacenter, tokens and stale reads', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80, tags: ['blue'] }, { port: 81, tags: ['green'] });
  const settings = { includeTag: true, token: 'secret', consistencyMode: 'stale' } as const;
  const follow = start(t, consul, settings);
  await follow('/.local/blue/web').until('10.0.0.1:80');
  await follow('/.local/red/web').until('neg');
  await follow('/.local/web').until('neg');
  const [{ params, headers } = assert.fail()] = consul.asked;
  assert.deepEqual(
    [params.get('tag'), params.get('dc'), params.has('stale')],
    ['blue', null, true],
  );
  assert.equal(headers['x-consul-token'], 'secret');
});

test('weights by tag, other states of health, the node’s address', async (t) => {
  const consul = await startConsul(t);
  consul.set(
    'web',
    { port: 80, tags: ['big', 'small'], statuses: ['warning'], address: '10.0.0.2' },
    { port: 81, weights: { Passing: 9, Warning: 9 } },
  );
  const weights = [
    { tag: 'small', weight: 0.5 },
    { tag: 'big', weight: 5 },
  ];
  const settings = {
    weights,
    healthStatuses: ['passing', 'warning'],
    preferServiceAddress: false,
  } as const;
  await start(t, consul, settings)('/dc1/web').until('10.0.0.1:80 * 5, 10.0.0.1:81');
});

test('two who ask for one service are one query', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80 });
  const follow = start(t, consul);
  await Promise.all(
    ['/dc1/web', '/dc1/web/a', '/dc1/web'].map((name) => follow(name).until('10.0.0.1:80')),
  );
  await consul.until(2);
  assert.equal(consul.asked.length, 2);
});

test('an index that goes back, one that is none, and one that is missing begin anew', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80 });
  const web = start(t, consul)('/dc1/web');
  await web.until('10.0.0.1:80');
  await consul.until(2);
  consul.index = 1;
  consul.set('web', { port: 81 });
  await web.until('10.0.0.1:81');
  await consul.until(4);
  assert.deepEqual(
    consul.asked.slice(0, 4).map(({ params }) => params.get('index')),
    [null, '11', null, '2'],
  );
});

test('what is no answer fails, and is asked for again', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80 });
  const wrong: readonly (readonly [status: number, body: string, told: string])[] = [
    [500, 'No path to datacenter', 'failed Consul: status 500: No path to datacenter'],
    [403, 'Permission denied', 'failed Consul: status 403: Permission denied'],
    [200, 'nonsense', 'failed Consul: web: expected JSON, got something else'],
    [200, '{}', 'failed Consul: web: expected a list of instances, got something else'],
    [200, '[{}]', 'failed Consul: web: expected addresses and ports, got none'],
  ];
  for (const [status, body, told] of wrong) {
    consul.next = { status, body, index: '5' };
    const web = start(t, consul, { useHealthCheck: false })('/dc1/web');
    await web.until(told);
    if (status !== 200) await web.until('10.0.0.1:80');
  }
});

test('what is known of instances and services is kept for who asks namerd', async (t) => {
  const consul = await startConsul(t);
  consul.set('web', { port: 80, nodeMeta: { rack: 'a' }, serviceMeta: { team: 'x' } });
  const config = { setHost: true };
  const follow = start(t, consul, config);
  await follow('/dc1/web').until('10.0.0.1:80');
  const found = readInstances(
    '[{"Node":{"Address":"10.0.0.1","Meta":{"rack":"a"}},"Service":{"Port":80,"Meta":{"team":"x"}}}]',
    CHOICE,
  );
  assert.ok(isRight(found));
  assert.deepEqual(found.right.hosts[0]?.meta, { node_meta: { rack: 'a' } });
  assert.deepEqual(found.right.serviceMeta, { team: 'x' });
});

const CHOICE: Choice = {
  useHealthCheck: false,
  healthStatuses: ['passing'],
  preferServiceAddress: true,
  weights: [],
};

test('an index only counts above 0, and never backwards', () => {
  assert.deepEqual(
    [
      nextIndex(0, '7'),
      nextIndex(7, '7'),
      nextIndex(7, '6'),
      nextIndex(7, '0'),
      nextIndex(7, '-1'),
    ],
    [7, 7, 0, undefined, undefined],
  );
  assert.deepEqual([nextIndex(7, undefined), nextIndex(7, 'x')], [undefined, undefined]);
});

test('maintenance is a state of its own, and what is not known is critical', () => {
  const entry = (checks: string): string =>
    `[{"Node":{"Address":"10.0.0.1"},"Service":{"Port":80},"Checks":${checks}}]`;
  const usedIn = (checks: string) =>
    (['passing', 'warning', 'critical', 'maintenance'] as const).filter((status) => {
      const found = readInstances(entry(checks), {
        ...CHOICE,
        useHealthCheck: true,
        healthStatuses: [status],
      });
      return isRight(found) && found.right.hosts.length === 1;
    });
  assert.deepEqual(usedIn('[]'), ['passing']);
  assert.deepEqual(usedIn('[{"Status":"warning"},{"Status":"passing"}]'), ['warning']);
  assert.deepEqual(usedIn('[{"Status":"odd"}]'), ['critical']);
  assert.deepEqual(usedIn('[{"CheckID":"_node_maintenance","Status":"critical"}]'), [
    'maintenance',
  ]);
});

test('no JSON makes it throw', () =>
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (text, useHealthCheck) => {
      readInstances(text, { ...CHOICE, useHealthCheck });
      readInstances(`[{"Node":${text},"Service":${text},"Checks":${text}}]`, CHOICE);
    }),
    { numRuns: 2000 },
  ));
