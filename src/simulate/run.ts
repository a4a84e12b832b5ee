/** Runs a scenario: the production pipeline of its config in virtual time. */
import {
  finalize,
  from,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  Subject,
  startWith,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { makeDice, roll } from '../balancer/random.ts';
import type { Config } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { Log } from '../log.ts';
import { makeVirtualDaemon, type VirtualDaemon } from '../testing/virtual-daemon.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { Journal } from './journal.ts';
import type { Arrivals, Scenario } from './scenario.ts';
import { sourcesOf } from './sources.ts';
import { resolving, saying } from './timeline.ts';

/** What a run has shown. */
export interface Run {
  readonly journal: Journal;
  /** What operators did that they should not, and what was logged as an error: a line each, once. */
  readonly faults: readonly string[];
  readonly endedAt: number;
}

/** After the last connection has come, those that are here may finish for so long. */
const GRACE_MS = 120_000;

const MOST_FAULTS = 100;

/** Where connections come from, and to. */
interface Stage {
  readonly daemon: VirtualDaemon;
  readonly journal: Journal;
  readonly time: VirtualTime;
  readonly random: () => number;
}

const comeOne = ({ daemon, journal, random }: Stage, arrivals: Arrivals, source: string): void => {
  const { place, sni, alpn, lasts, patienceMs } = arrivals;
  const isHeard = daemon.arrive(place, {
    source,
    alpn,
    lastsMs: lasts.from + (lasts.to - lasts.from) * random(),
    ...(sni === undefined ? {} : { sni }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  if (!isHeard) journal.missed(source, sni);
};

/** Sets the next arrival when one has come: a long scenario is not all in memory at once. */
const come = (stage: Stage, arrivals: Arrivals): void => {
  const { time, random } = stage;
  const source = sourcesOf(arrivals.source, random);
  const { when, from: start, until } = arrivals;
  const timeOf = (i: number): number | undefined => {
    if ('at' in when) return when.at[i];
    const at = start + i * when.everyMs;
    return at < until ? at : undefined;
  };
  const set = (i: number): void => {
    const at = timeOf(i);
    if (at === undefined) return;
    time.set(Math.max(0, at - time.now()), () => {
      comeOne(stage, arrivals, source());
      set(i + 1);
    });
  };
  set(0);
};

/** The configs of the commands, to the end of the scenario or the drain. */
const configsOf = (scenario: Scenario, env: Env): Observable<Config> => {
  const { commands, config, durationMs } = scenario;
  const drained = commands.find(({ t }) => t === 'drain');
  const reloads = commands.flatMap((one) =>
    one.t === 'reload' ? [{ at: one.at, value: one.config }] : [],
  );
  return saying(reloads, env).pipe(
    startWith(config),
    takeUntil(timer(drained?.at ?? durationMs, env.scheduler)),
  );
};

const makeEnv = (time: VirtualTime, random: () => number, log: Log): Env => ({
  scheduler: time,
  wallNow: time.now,
  random,
  log,
});

const flawsOf = ({ flaws }: Journal): readonly string[] =>
  [...flaws].map(([flaw, count]) => (count === 1 ? flaw : `${flaw} (${count} times)`));

/** Runs a scenario to its end. The same scenario and seed give the same run. Errors: only a fault of our own. */
export const runScenario = (scenario: Scenario, seed = scenario.seed): Run => {
  const time = new VirtualTime();
  const dice = makeDice((seed % 2 ** 32) / 2 ** 32);
  const random = (): number => roll(dice);
  const faults: string[] = [];
  const journal = new Journal(time.now);
  const env = makeEnv(time, random, (level, message, fields = {}) => {
    if (level !== 'error' || faults.length >= MOST_FAULTS) return;
    const shown = Object.entries(typeof fields === 'function' ? fields() : fields);
    faults.push([message, ...shown.map(([key, value]) => `${key}=${value}`)].join(' '));
  });
  const over$ = new Subject<void>();
  const daemon = makeVirtualDaemon(
    {
      config$: configsOf(scenario, env),
      resolve: (name) => {
        journal.lookedUp(name);
        return resolving(scenario.names.get(name), env);
      },
      report: journal.report,
    },
    env,
  );
  const health$ = from(scenario.endpoints).pipe(
    mergeMap(({ address, behaviour }) =>
      saying(behaviour, env).pipe(tap((how) => daemon.network.set(address.text, how))),
    ),
    ignoreElements(),
  );
  let endedAt = time.now();
  const run$ = merge(
    health$,
    daemon.run$.pipe(
      finalize(() => {
        endedAt = time.now();
        over$.next();
      }),
    ),
  ).pipe(takeUntil(over$));
  const running = run$.subscribe();
  for (const arrivals of scenario.arrivals) come({ daemon, journal, time, random }, arrivals);
  time.flush(scenario.durationMs + GRACE_MS);
  // Operators that still hold something tell so.
  running.unsubscribe();
  return { journal, faults: [...flawsOf(journal), ...faults], endedAt };
};
