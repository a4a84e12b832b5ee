/** The daemon put together: sockets, routers, metrics and the admin server around one lifecycle. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import {
  BehaviorSubject,
  finalize,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
} from 'rxjs';
import { AdminDoor } from './admin-door.ts';
import type { Config } from './config/config.ts';
import type { LoadedFile } from './config/read.ts';
import type { Engine } from './engine.ts';
import { makeHandlers } from './handlers.ts';
import {
  EXIT,
  type Lifecycle,
  live,
  type Ready,
  type Reloaded,
  type Request,
} from './lifecycle.ts';
import { renewed, told } from './reloads.ts';
import type { World } from './world.ts';

/** What the daemon is started with. */
export interface DaemonSetup {
  readonly first: LoadedFile;
  /** Reads the file again; `Left`: all that is wrong with it, a line each. */
  readonly load: () => Either<readonly string[], LoadedFile>;
  readonly signal$: Observable<Request>;
  readonly world: World;
  /** Of the program. */
  readonly version: string;
  /** Makes what routes connections: `config` gives the config in force. */
  readonly engine: (config: () => Config) => Engine;
}

class Daemon {
  readonly #setup: DaemonSetup;
  readonly #engine: Engine;
  readonly #admin: AdminDoor;
  readonly #asked$ = new Subject<Request>();
  /** What the routers run on, and what was read last and may come next. */
  #inForce: LoadedFile;
  /** The files that it names. */
  readonly #paths$: BehaviorSubject<readonly string[]>;
  #candidate: LoadedFile;

  constructor(setup: DaemonSetup) {
    const { first, world, engine } = setup;
    this.#setup = setup;
    this.#inForce = first;
    this.#paths$ = new BehaviorSubject(first.paths);
    this.#candidate = first;
    this.#engine = engine(() => this.#inForce.config);
    const handlers = makeHandlers({
      engine: this.#engine,
      file: () => this.#inForce,
      ask: (request) => this.#asked$.next(request),
      version: setup.version,
      world,
    });
    this.#admin = new AdminDoor(handlers, world.env);
  }

  readonly run = (): Observable<number> => {
    const { first, world } = this.#setup;
    const { env, configure } = world;
    // Before the first line is written, since it decides how lines look.
    configure(first.config.log);
    return this.#prepare(first.config).pipe(
      mergeMap((ready) => {
        if (isLeft(ready)) {
          for (const error of ready.left) env.log('error', error);
          return of(EXIT.failed);
        }
        ready.right.commit();
        return live(this.#lifecycle(), env);
      }),
      finalize(() => this.#admin.close()),
    );
  };

  #lifecycle(): Lifecycle {
    const { env } = this.#setup.world;
    const { run, stop, cut } = this.#engine;
    return {
      first: this.#inForce.config,
      request$: merge(this.#setup.signal$, this.#asked$, renewed(this.#paths$, env)).pipe(
        map(told(env.log)),
      ),
      load: (what) => this.#load(what),
      prepare: (config) => this.#prepare(config),
      run,
      stopping: stop,
      cut,
    };
  }

  #load(what: Reloaded): Either<readonly string[], Config> {
    const loaded = what === 'config' ? this.#setup.load() : this.#inForce.again();
    if (isLeft(loaded)) return loaded;
    this.#candidate = loaded.right;
    return right(loaded.right.config);
  }

  /** The admin server first: it is easier to take back. */
  #prepare(config: Config): Observable<Either<readonly string[], Ready>> {
    return this.#admin.reserve(config.admin).pipe(
      mergeMap((door) => {
        if (isLeft(door)) return of(door);
        return this.#engine.prepare(config).pipe(
          map((engine) => {
            if (isLeft(engine)) {
              door.right.cancel();
              return engine;
            }
            return right({ commit: () => this.#commit(door.right, engine.right) });
          }),
        );
      }),
    );
  }

  #commit(door: Ready, engine: Ready): void {
    const { configure, env } = this.#setup.world;
    this.#inForce = this.#candidate;
    const { config, warningLines, paths } = this.#inForce;
    this.#paths$.next(paths);
    configure(config.log);
    engine.commit();
    door.commit();
    for (const warning of warningLines) env.log('warn', warning);
    if (config.workers !== this.#setup.first.config.workers)
      env.log('warn', 'workers: takes effect at the next start');
  }
}

/**
 * Runs the daemon: emits the exit code and completes. Its log has said why by then.
 * Owns: every socket of the process but standard error.
 */
export const daemon = (setup: DaemonSetup): Observable<number> => new Daemon(setup).run();
