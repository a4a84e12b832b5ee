/**
 * What operators cost a connection, and how fast scenarios run: `node dist/test/bench/virtual.js`. CPU time of this process, medians
 * of rounds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BehaviorSubject, concat, NEVER, of, Subject } from 'rxjs';
import { makeDice, roll } from '../../src/balancer/random.ts';
import { keepYoung } from '../../src/collector.ts';
import type { OperatorConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/env.ts';
import { type Envelope, makeEnvelope } from '../../src/envelope.ts';
import { operate } from '../../src/operators/chain.ts';
import type { Ended } from '../../src/operators/operator.ts';
import type { Path } from '../../src/path.ts';
import { makeOperator } from '../../src/plugins/make.ts';
import { simulate } from '../../src/simulate/command.ts';
import { loadUnopened } from '../../src/testing/unopened.ts';
import { makeVirtualDaemon } from '../../src/testing/virtual-daemon.ts';
import { VirtualTime } from '../../src/testing/virtual-time.ts';
import { makeTimers } from '../../src/timers.ts';
import { bound } from '../support/balancer.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const ENVELOPES = 200_000;
const OPEN = 10_000;
const PER_SECOND = 2_000;
/** Few, and more than a rate limit remembers. */
const CLIENTS = [1000, 16_384];
const CONNECTIONS = 100_000;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const worldOf = (time: VirtualTime): Env => {
  const dice = makeDice(0.5);
  return { scheduler: time, wallNow: time.now, random: () => roll(dice), log: () => undefined };
};

const operator = (by: string, options: Readonly<Record<string, unknown>>): OperatorConfig => ({
  kind: 'custom',
  by,
  options,
  place: 'operators[0]',
  isShadow: false,
});

/** Lists of three: what one would put in front of a service, and those that cost most. */
const LISTS = {
  'rate limit, source filter, canary': [
    operator('io.l5d.rateLimit', { perSecond: 1e6 }),
    operator('io.l5d.sourceFilter', { deny: '203.0.113.0/24' }),
    operator('io.l5d.canary', { dst: '/svc/other', to: '/svc/new', percent: 10 }),
  ],
  'source filter, rate limit, concurrency limit': [
    operator('io.l5d.sourceFilter', { deny: '203.0.113.0/24' }),
    operator('io.l5d.rateLimit', { perSecond: 1e6 }),
    operator('io.l5d.concurrencyLimit', { max: 1e6 }),
  ],
} as const;

/** What a connection costs in a chain, in µs. */
const chainUs = (operators: readonly OperatorConfig[], clients: number): number => {
  const time = new VirtualTime();
  const env = worldOf(time);
  const envelope$ = new Subject<Envelope>();
  const ended$ = new Subject<Ended>();
  let passed = 0;
  const chain$ = envelope$.pipe(
    operate(
      {
        rt: 'r',
        timers: makeTimers(time),
        operators$: of(operators),
        make: makeOperator,
        ended$,
        watch: () => undefined,
        refuse: () => undefined,
        revised: () => undefined,
        tell: () => undefined,
      },
      env,
    ),
  );
  chain$.subscribe(() => {
    passed += 1;
  });
  const place = { rt: 'r', srv: '127.0.0.1:1', deadline: 1e9 };
  const dst = '/svc/web' as Path;
  const sources = Array.from({ length: clients }, (_, i) => `10.0.${i >> 7}.${i & 127}:40000`);
  const before = cpuMs();
  for (let id = 0; id < ENVELOPES; id++) {
    const src = sources[id % clients] ?? '';
    envelope$.next(makeEnvelope({ id, ...place }, { src, dst, rule: '', at: 0 }));
    // As many are open as in the scenario.
    if (id >= OPEN) ended$.next({ id: id - OPEN, reason: 'end' });
  }
  const took = cpuMs() - before;
  if (passed !== ENVELOPES) throw new Error(`${passed} passed`);
  return (took / ENVELOPES) * 1000;
};

const CONFIG = {
  routers: [{ label: 'r', dtab: '', servers: [{ port: 1, dstName: '/svc/a' }] }],
};

/** Events of a router in a second of CPU, with `OPEN` connections open. */
const eventsPerSecond = (): number => {
  const time = new VirtualTime();
  let events = 0;
  const resolution = bound(...Array.from({ length: 100 }, (_, i) => `E${i}`));
  const daemon = makeVirtualDaemon(
    {
      config$: new BehaviorSubject(loadUnopened(CONFIG)),
      resolve: () => concat(of(resolution), NEVER),
      report: () => {
        events += 1;
      },
    },
    worldOf(time),
  );
  daemon.run$.subscribe();
  let come = 0;
  const arrive = (): void => {
    daemon.arrive('routers[0].servers[0]', {
      source: '192.0.2.1:40000',
      lastsMs: (OPEN / PER_SECOND) * 1000,
    });
    if (++come < CONNECTIONS) time.set(1000 / PER_SECOND, arrive);
  };
  arrive();
  time.flush((OPEN / PER_SECOND) * 1000);
  const [before, eventsBefore] = [cpuMs(), events];
  time.flush((CONNECTIONS / PER_SECOND) * 1000);
  if (daemon.clients() < OPEN * 0.9) throw new Error(`${daemon.clients()} open`);
  return ((events - eventsBefore) / (cpuMs() - before)) * 1000;
};

/** Events in a second of CPU of the whole command: files read, the run kept, judged and told. */
const commandEventsPerSecond = (folder: string): number => {
  const before = cpuMs();
  const file = join(folder, 'scenario.json');
  const done = simulate({ files: [file], seed: undefined, format: 'json' });
  const took = cpuMs() - before;
  if (done.t !== 'done' || !done.isHeld) throw new Error(JSON.stringify(done));
  return (JSON.parse(done.out)[0].events / took) * 1000;
};

const writeScenario = (folder: string): void => {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
  const addresses = Array.from({ length: 100 }, (_, i) => `10.0.0.${i + 1}:80`);
  const scenario = {
    config: 'config.json',
    duration: `${CONNECTIONS / PER_SECOND}s`,
    names: { '/svc/a': addresses },
    arrivals: [{ rate: `${PER_SECOND}/s`, source: '10.0.0.0/8', lasts: `${OPEN / PER_SECOND}s` }],
    expect: ['success == 100%', `most open >= ${OPEN}`, 'no endpoint > 40% of connections for 10s'],
  };
  writeFileSync(join(folder, 'scenario.json'), JSON.stringify(scenario));
};

// As the daemon does.
keepYoung();
const folder = mkdtempSync(join(tmpdir(), 'linkerd-tcp-bench-'));
writeScenario(folder);
const results = new Map<string, number[]>();
const note = (what: string, value: number): void => {
  results.set(what, [...(results.get(what) ?? []), value]);
};
/** The first round warms up. */
const measure = (round: () => void): void => {
  round();
  for (const values of results.values()) if (values.length === 1) values.pop();
  for (let i = 0; i < ROUNDS; i++) round();
};
// Each for itself: what a simulation leaves in memory is no business of operators.
for (const [what, operators] of Object.entries(LISTS))
  for (const clients of CLIENTS)
    measure(() => {
      const cost = chainUs(operators, clients) - chainUs([], clients);
      note(`${what}, ${clients} clients: µs a connection (< 2)`, cost);
    });
const open = `${OPEN} connections open: events a second of CPU (≥ 200000)`;
measure(() => note(`a router with ${open}`, eventsPerSecond()));
measure(() => note(`linkerd-tcp simulate with ${open}`, commandEventsPerSecond(folder)));
rmSync(folder, { recursive: true });
for (const [what, values] of results)
  console.log(`${what}: ${median(values).toFixed(values.some((one) => one > 100) ? 0 : 2)}`);
