/** Which engine a config asks for, and the life of a worker. */
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { distinctUntilChanged, filter, map, type Observable } from 'rxjs';
import { makeMetrics } from '../admin/metrics.ts';
import type { Config } from '../config/config.ts';
import { type Engine, localEngine } from '../engine.ts';
import { makeInterpret, makeReport } from '../machine.ts';
import { Descriptors } from '../server/descriptors.ts';
import { connectionDescriptors } from '../server/fd-limit.ts';
import { makeTimers } from '../timers.ts';
import type { World } from '../world.ts';
import { fleetEngine } from './fleet.ts';
import { makeSpawn, primaryOf } from './processes.ts';
import { worker } from './worker.ts';

const count = ({ workers }: Config): number =>
  workers === 'auto' ? availableParallelism() : workers;

/** The engine of a primary: its workers serve, and it looks names up for all of them. */
const makeFleet = (first: Config, config: () => Config, world: World): Engine => {
  const { env, turn, logDropped } = world;
  const metrics = makeMetrics({
    names: () => [],
    servers: () => [],
    bufferedBytes: () => 0,
    logDropped,
    // They listen in the workers, and have their names there.
    keeps: (rt) => config().routers.some(({ label }) => label === rt),
    maxNameSeries: () => 0,
  });
  const { interpret, explain } = makeInterpret(
    makeReport(metrics, env),
    new Descriptors(connectionDescriptors()),
    env,
  );
  const interpreter$ = (config$: Observable<Config>, rt: string) =>
    config$.pipe(
      map(({ routers }) => routers.find(({ label }) => label === rt)?.interpreter),
      filter((interpreter) => interpreter !== undefined),
      distinctUntilChanged((a, b) => isDeepStrictEqual(a, b)),
      map((interpreter) => interpret(interpreter, rt)),
    );
  const workers = count(first);
  return fleetEngine({ workers, spawn: makeSpawn(), interpreter$, explain, metrics, turn }, env);
};

/** Makes the engine that the first config asks for: routers in this process, or workers. */
export const makeEngine =
  (first: Config, world: World) =>
  (config: () => Config): Engine =>
    count(first) === 0
      ? localEngine(config, world, { isAlone: true })
      : makeFleet(first, config, world);

/** Works for the primary that began this process. Emits when it is over. */
export const work = (process: NodeJS.Process, world: World): Observable<unknown> =>
  worker({
    ...primaryOf(process),
    timers: makeTimers(world.env.scheduler),
    configure: ({ log }) => world.configure(log),
    engine: (config, interpret, heard) =>
      localEngine(config, world, { interpret: (_, rt) => interpret(rt), heard, isAlone: true }),
  });
