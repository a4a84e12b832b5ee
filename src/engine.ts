/** What routes a process’s connections: routers here, or in workers. */
import { type Either, map as mapRight } from 'fp-ts/lib/Either.js';
import { map, type Observable } from 'rxjs';
import type { Snapshot } from './admin/snapshot.ts';
import { app } from './app.ts';
import type { Config } from './config/config.ts';
import { type Explain, type MachineOptions, makeMachine } from './machine.ts';
import { piecesOf } from './recorder/dump.ts';
import type { NextView, RouterView } from './view.ts';
import type { World } from './world.ts';

/** A config whose listeners are bound, ready to take effect or to be given up. */
export interface Prepared {
  readonly commit: () => void;
  readonly cancel: () => void;
}

/** Runs the routers of a config, and tells of them. */
export interface Engine {
  /** Binds what a config needs and is not bound yet: all of it or, with the errors told, none. */
  readonly prepare: (config: Config) => Observable<Either<readonly string[], Prepared>>;
  /** Runs the configs until they end and the last stream has. */
  readonly run: (config$: Observable<Config>) => Observable<never>;
  /** Nothing listens from now on; streams go on. */
  readonly stop: (config: Config) => void;
  /** Cuts every stream: the grace is over. */
  readonly cut: (config: Config) => void;
  /** All metrics in their text format. */
  readonly metrics: () => Promise<string>;
  readonly routers: () => Iterable<RouterView> | AsyncIterable<RouterView>;
  /** What the next connection of a name would meet; `undefined`: nobody, or that is not known here. */
  readonly preview: (rt: string, dst: string) => NextView | undefined;
  /** What is recorded, each process after the other, in pieces of some lines. */
  readonly recording: () => Iterable<string> | AsyncIterable<string>;
  /** How names come to be what they are, by an interpreter of the config. */
  readonly explain: Explain;
}

/** Routers in this process. */
export interface LocalEngine extends Engine {
  /** What was counted here, for whoever sums it up. */
  readonly snapshot: () => Snapshot;
  readonly routers: () => Iterable<RouterView>;
  readonly recording: (core?: number) => Iterable<string>;
}

/** Makes routers in this process. `config` gives the config in force. */
export const localEngine = (
  config: () => Config,
  world: World,
  options?: MachineOptions,
): LocalEngine => {
  const machine = makeMachine(config, world, options);
  const { listeners, directory, metrics, recorder, context, configure, stop, cut } = machine;
  return {
    prepare: (next) =>
      listeners.reserve(next).pipe(
        map(
          mapRight(({ commit, cancel }) => ({
            cancel,
            commit: () => {
              configure(next);
              commit();
            },
          })),
        ),
      ),
    run: (config$) => app(config$, context, world.env),
    stop,
    cut,
    explain: machine.explain,
    metrics: () => metrics.render(world.turn),
    routers: () => directory.routers(),
    preview: (rt, dst) => directory.preview(rt, dst),
    recording: (core = 0) => piecesOf(core, context.timers.now(), recorder.lines()),
    snapshot: metrics.snapshot,
  };
};
