/**
 * A router from its servers’ connections to its names, and the app from its configs to its routers: who
 * listens when, what is looked up, and what ends with what.
 *
 *   configs  1 2 3 …    in the words of each test
 *   servers  p q        connections of the servers on ports 1 and 2
 *   looked   ^ !        a look-up begins, ends
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identity, NEVER, type Observable, Subject } from 'rxjs';
import { makeAddress } from '../src/address.ts';
import { app } from '../src/app.ts';
import type { Ports } from '../src/balancer/balance.ts';
import type { Config, RouterConfig, ServerConfig } from '../src/config/config.ts';
import { Directory } from '../src/directory.ts';
import type { Envelope } from '../src/envelope.ts';
import type { RouterEvent, ServerEvent } from '../src/event.ts';
import type { Resolution } from '../src/interpreter/interpreter.ts';
import type { Path } from '../src/path.ts';
import type { RouterContext } from '../src/router.ts';
import { Clients } from '../src/server/clients.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { makeTimers } from '../src/timers.ts';

const server = (port: number): ServerConfig => ({
  place: `servers[${port}]`,
  address: makeAddress('127.0.0.1', port),
  identify: [{ place: 'dstName', conditions: {}, dst: '/svc/a' }],
  sources: { allow: [], deny: [] },
  connectTimeoutMs: 10_000,
  connectionLifetimeMs: Number.POSITIVE_INFINITY,
  connectionLifetimeJitter: 0,
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  halfCloseTimeoutMs: 60_000,
  resetLingerMs: 100,
  maxConcurrency: 10,
});

/** A router with servers on these ports, whose interpreter has this many names. */
const router = (ports: readonly number[], label = 'a', version = 0): RouterConfig => ({
  label,
  place: 'routers[0]',
  interpreter: { kind: 'static', names: new Map([[`/v${version}` as Path, []]]) },
  operators: [],
  servers: ports.map(server),
  client: [],
  bindingCache: { paths: 10, idleTtlSecs: 600 },
});

const config = (...routers: readonly RouterConfig[]): Config => ({
  admin: { ip: '127.0.0.1', port: 1, graceSecs: 10, hosts: [], maxNameSeries: 500 },
  log: { level: 'info', format: 'text' },
  workers: 0,
  bufferSizeBytes: 1024,
  maxBufferedBytes: 1024,
  routers,
});

const A = makeAddress('10.0.0.1', 80);
const BOUND: Resolution = { t: 'bound', endpoints: [{ address: A, weight: 1 }] };

interface World {
  /** By port: connections of the server, one letter each. */
  readonly servers: Readonly<Record<number, Observable<ServerEvent>>>;
  readonly look: (version: string) => Observable<Resolution>;
}

/** Runs the app; gives what its balancers do, such as `connect`, and the listening of its servers. */
const run = (m: Marbles, config$: Observable<Config>, { servers, look }: World) => {
  const done$ = new Subject<string>();
  const listening$ = new Subject<string>();
  const report = (event: RouterEvent): void => {
    if (event.t === 'named' || event.t === 'unnamed') done$.next(event.t);
  };
  const timers = makeTimers(m.env.scheduler);
  const ports: Ports = {
    watchClient: () => undefined,
    perform: (command, tell) => {
      if (command.t === 'connect') tell({ t: 'connected', dial: command.dial });
      if (command.t !== 'dispatch') return;
      done$.next(`joined ${command.conn}`);
      timers.after(5, () => tell({ t: 'closed', dial: command.dial, spurned: false }));
    },
    sample: () => new Map(),
    close: () => undefined,
  };
  const context: RouterContext = {
    timers,
    report,
    directory: new Directory(new Clients(), timers.now),
    operator: () => identity,
    loadBalancer: () => () => undefined,
    ended: () => NEVER,
    watchClient: () => undefined,
    revise: () => undefined,
    serve: (server$, { key }) => {
      const port = Number(key.split(':').at(-1));
      listening$.next(`+${port}`);
      server$.subscribe({ complete: () => listening$.next(`-${port}`) });
      return servers[port] ?? NEVER;
    },
    interpret: (interpreter) => ({
      resolve: () =>
        look(interpreter.kind === 'static' ? ([...interpreter.names.keys()][0] ?? '') : ''),
    }),
    streams: () => ports,
    refuse: () => undefined,
    waiting: () => [],
  };
  return { done$, listening$, ended$: app(config$, context, m.env) };
};

const arrival = (id: number): ServerEvent => {
  const envelope: Envelope = {
    id,
    rt: 'a',
    rule: '',
    srv: '127.0.0.1:1',
    src: '127.0.0.1:9',
    dst: '/svc/a' as Path,
    at: 0,
    deadline: Number.POSITIVE_INFINITY,
  };
  return { t: 'arrived', envelope };
};

const CONNECTIONS = { p: arrival(1), q: arrival(2) };
const DONE = { n: 'named', u: 'unnamed', p: 'joined 1', q: 'joined 2' };

test('servers of one router share the balancer and the look-up of a name', () =>
  marbles((m) => {
    const configs$ = m.hot('1------------|          ', { 1: config(router([1, 2])) });
    const servers = {
      1: m.cold('           --p----------|          ', CONNECTIONS),
      2: m.cold('           -----q-------|          ', CONNECTIONS),
    };
    const look$ = m.cold('    r-------                ', { r: BOUND });
    const { done$, ended$ } = run(m, configs$, { servers, look: () => look$ });
    const told: string[] = [];
    done$.subscribe((what) => told.push(`${m.env.scheduler.now()} ${what}`));
    m.expect(ended$).toBe('-------------|');
    m.subs(look$).toBe('    --^----------!');
    m.flush();
    assert.deepEqual(told, ['2 named', '2 joined 1', '5 joined 2', '13 unnamed']);
  }));

test('a reload opens what is new, closes what is gone, and leaves the rest alone', () =>
  marbles((m) => {
    const configs$ = m.hot('1--2--3--|', {
      1: config(router([1])),
      2: config(router([1, 2])),
      3: config(router([2]), router([3], 'b')),
    });
    const { listening$, ended$ } = run(m, configs$, {
      servers: {
        1: m.cold('      ------|', CONNECTIONS),
        2: m.cold('         ------|', CONNECTIONS),
        3: m.cold('            ---|', CONNECTIONS),
      },
      look: () => NEVER,
    });
    const told: string[] = [];
    listening$.subscribe((what) => told.push(`${m.env.scheduler.now()} ${what}`));
    m.expect(ended$).toBe(' ---------|');
    m.flush();
    assert.deepEqual(told, ['0 +1', '3 +2', '6 -1', '6 +3', '9 -2', '9 -3']);
  }));

test('a changed interpreter is asked anew, and an unchanged one is not', () =>
  marbles((m) => {
    const configs$ = m.hot('1--2--3-----|', {
      1: config(router([1])),
      2: config(router([1, 2])),
      3: config(router([1], 'a', 2)),
    });
    const former$ = m.cold('r-----------', { r: BOUND });
    const latter$ = m.cold('--r---------', { r: BOUND });
    const look = (version: string) => (version === '/v0' ? former$ : latter$);
    const servers = { 1: m.cold('-p-----q----|', CONNECTIONS), 2: m.cold('---|', CONNECTIONS) };
    const { done$, ended$ } = run(m, configs$, { servers, look });
    const told: string[] = [];
    done$.subscribe((what) => told.push(`${m.env.scheduler.now()} ${what}`));
    m.expect(ended$).toBe('------------|');
    m.subs(former$).toBe('-^----!      ');
    m.subs(latter$).toBe('------^-----!');
    m.flush();
    // Connection 2 comes before the new interpreter has answered: the last good set serves it.
    assert.deepEqual(told, ['1 named', '1 joined 1', '7 joined 2', '12 unnamed']);
  }));

test('a router that leaves ends with its last stream', () =>
  marbles((m) => {
    const configs$ = m.hot('1--2-----', { 1: config(router([1])), 2: config() });
    const look$ = m.cold('  r----    ', { r: BOUND });
    const { done$, ended$ } = run(m, configs$, {
      servers: { 1: m.cold('-p-|', CONNECTIONS) },
      look: () => look$,
    });
    m.expect(done$).toBe('  -(np)-u  ', DONE);
    m.expect(ended$, '^--------!').toBe('----------');
    m.subs(look$).toBe('    -^----!');
  }));
