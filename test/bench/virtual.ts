/**
 * What operators cost a connection, and how fast scenarios run: `node dist/test/bench/virtual.js`. CPU time of this process, medians
 * of rounds.
 */
import { BehaviorSubject, concat, NEVER, of, Subject } from 'rxjs';
import { makeDice, roll } from '../../src/balancer/random.ts';
import type { OperatorConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/env.ts';
import type { Envelope } from '../../src/envelope.ts';
import { operate } from '../../src/operators/chain.ts';
import type { Path } from '../../src/path.ts';
import { makeOperator } from '../../src/plugins/make.ts';
import { loadUnopened } from '../../src/testing/unopened.ts';
import { makeVirtualDaemon } from '../../src/testing/virtual-daemon.ts';
import { VirtualTime } from '../../src/testing/virtual-time.ts';
import { makeTimers } from '../../src/timers.ts';
import { bound } from '../support/balancer.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const ENVELOPES = 200_000;
const OPEN = 10_000;
const PER_SECOND = 2_000;
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

const THREE = [
  operator('io.l5d.rateLimit', { perSecond: 1e6 }),
  operator('io.l5d.sourceFilter', { deny: '203.0.113.0/24' }),
  operator('io.l5d.canary', { dst: '/svc/other', to: '/svc/new', percent: 10 }),
];

/** What a connection costs in a chain, in µs. */
const chainUs = (operators: readonly OperatorConfig[]): number => {
  const time = new VirtualTime();
  const env = worldOf(time);
  const envelope$ = new Subject<Envelope>();
  let passed = 0;
  const chain$ = envelope$.pipe(
    operate(
      {
        rt: 'r',
        timers: makeTimers(time),
        operators$: of(operators),
        make: makeOperator,
        ended$: NEVER,
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
  const common = { rt: 'r', srv: '127.0.0.1:1', rule: '', at: 0, deadline: 1e9 };
  const before = cpuMs();
  for (let id = 0; id < ENVELOPES; id++)
    envelope$.next({ ...common, id, src: `10.0.0.${id & 127}:40000`, dst: '/svc/web' as Path });
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

const costs: number[] = [];
const speeds: number[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const cost = chainUs(THREE) - chainUs([]);
  const speed = eventsPerSecond();
  // The first one warms up.
  if (round > 0) {
    costs.push(cost);
    speeds.push(speed);
  }
}
console.log(`three operators: ${median(costs).toFixed(2)} µs a connection   goal < 2 µs`);
console.log(
  `a scenario with ${OPEN} connections open: ${Math.round(median(speeds))} events a second of CPU   goal ≥ 200000`,
);
