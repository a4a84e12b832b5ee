/** Runs a configuration in a world that was recorded: the production pipeline in virtual time. */
import { finalize, merge, of, Subject, takeUntil, timer } from 'rxjs';
import { makeDice, roll } from '../balancer/random.ts';
import type { Config, ServerConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { Path } from '../path.ts';
import { Journal } from '../simulate/journal.ts';
import type { At } from '../simulate/scenario.ts';
import { resolving } from '../simulate/timeline.ts';
import { makeVirtualDaemon, type VirtualDaemon } from '../testing/virtual-daemon.ts';
import type { Arrival } from '../testing/virtual-servers.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { keyOf, type RecordedWorld, type Visitor } from './world.ts';

/** After the last connection has come, those that are here may finish for so long. */
const GRACE_MS = 120_000;

/** One that never ended stays to the end. */
const ALWAYS = Number.POSITIVE_INFINITY;

/** Both configurations that are compared meet the same chance. */
const SEED = 0.5;

/** How it is run. */
export interface RerunOptions {
  /** From the balancer on: the names are those that were recorded, and no rule and no operator is tried. */
  readonly isFromBalancer: boolean;
}

/** A server is its address; one on any free port, its place in the file. */
const serverOf = ({ routers }: Config, { envelope }: Visitor): ServerConfig | undefined => {
  const servers = routers.find(({ label }) => label === envelope.rt)?.servers ?? [];
  const [place] = envelope.rule.split(/\.(?:identify|dstName)/);
  return (
    servers.find(({ address }) => address.text === envelope.srv) ??
    servers.find((server) => server.address.port === 0 && server.place === place)
  );
};

/** How long those stay that were not dispatched: as long as the middle one of the others. */
const usualMs = ({ visitors }: RecordedWorld): number => {
  const known = visitors.flatMap(({ lastsMs }) => (lastsMs === undefined ? [] : [lastsMs]));
  return known.sort((a, b) => a - b)[known.length >> 1] ?? 1000;
};

const arrivalOf = (
  { envelope, lastsMs, patienceMs, isDispatched }: Visitor,
  usual: number,
  { isFromBalancer }: RerunOptions,
): Arrival => {
  const { src, sni, alpn, cert, dst, rule } = envelope;
  return {
    source: src,
    lastsMs: lastsMs ?? (isDispatched ? ALWAYS : usual),
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(sni === undefined ? {} : { sni }),
    ...(alpn === undefined ? {} : { alpn: [alpn] }),
    ...(cert === undefined ? {} : { cert }),
    ...(isFromBalancer ? { identified: { dst: dst as Path, rule } } : {}),
  };
};

/** Does the n-th thing at its time and then sets the next, so that not all of them are in memory at once. */
const oneAfterAnother = <T extends { readonly at: number }>(
  time: VirtualTime,
  all: readonly T[],
  doIt: (one: T) => void,
): void => {
  const set = (i: number): void => {
    const one = all[i];
    if (one === undefined) return;
    time.set(Math.max(0, one.at - time.now()), () => {
      doIt(one);
      set(i + 1);
    });
  };
  set(0);
};

/** What an endpoint did first holds from the beginning. */
const behaveAtFirst = ({ network }: VirtualDaemon, { dials }: RecordedWorld): void => {
  const seen = new Set<string>();
  for (const { address, behaviour } of dials) {
    if (seen.has(address)) continue;
    seen.add(address);
    network.set(address, behaviour);
  }
};

/** What the file itself says of a name, where the router’s names stand in it. */
const fixed = (
  { routers }: Config,
  rt: string,
  name: Path,
): readonly At<Resolution>[] | undefined => {
  const interpreter = routers.find(({ label }) => label === rt)?.interpreter;
  if (interpreter?.kind !== 'static') return undefined;
  const endpoints = interpreter.names.get(name);
  return [{ at: 0, value: endpoints === undefined ? { t: 'neg' } : { t: 'bound', endpoints } }];
};

const configOf = (config: Config, { isFromBalancer }: RerunOptions): Config =>
  isFromBalancer
    ? { ...config, routers: config.routers.map((router) => ({ ...router, operators: [] })) }
    : config;

/** What a run has shown. */
export interface Rerun {
  /** Its n-th connection is the n-th visitor. */
  readonly journal: Journal;
  /** Names that were asked for and that nothing is known of. */
  readonly unknown: ReadonlySet<string>;
}

/** Runs it to its end. */
export const rerun = (world: RecordedWorld, config: Config, options: RerunOptions): Rerun => {
  const time = new VirtualTime();
  const dice = makeDice(SEED);
  const journal = new Journal(time.now);
  const unknown = new Set<string>();
  const random = (): number => roll(dice);
  const env: Env = { scheduler: time, wallNow: time.now, random, log: () => undefined };
  const daemon = makeVirtualDaemon(
    {
      config$: merge(of(configOf(config, options)), new Subject<Config>()).pipe(
        takeUntil(timer(world.durationMs + 1, time)),
      ),
      resolve: (name, rt) => {
        const said = fixed(config, rt, name) ?? world.names.get(keyOf(rt, name));
        if (said === undefined) unknown.add(name);
        return resolving(said, env);
      },
      report: journal.report,
    },
    env,
  );
  const over$ = new Subject<void>();
  daemon.run$
    .pipe(
      finalize(() => over$.next()),
      takeUntil(over$),
    )
    .subscribe();
  behaveAtFirst(daemon, world);
  oneAfterAnother(time, world.dials, ({ address, behaviour }) =>
    daemon.network.set(address, behaviour),
  );
  const usual = usualMs(world);
  oneAfterAnother(time, world.visitors, (visitor) => {
    const { src, sni } = visitor.envelope;
    const server = serverOf(config, visitor);
    const isHeard =
      server !== undefined && daemon.arrive(server.place, arrivalOf(visitor, usual, options));
    if (!isHeard) journal.missed(src, sni);
  });
  time.flush(world.durationMs + GRACE_MS);
  return { journal, unknown };
};
