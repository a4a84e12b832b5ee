/** The daemon put together: sockets, routers, metrics and the admin server around one lifecycle. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { finalize, map, merge, mergeMap, type Observable, of, Subject } from 'rxjs';
import type { AdminHandlers } from './admin/server.ts';
import { AdminDoor } from './admin-door.ts';
import { app } from './app.ts';
import type { Config } from './config/config.ts';
import type { LoadedFile } from './config/read.ts';
import { EXIT, type Lifecycle, live, type Ready, type Request } from './lifecycle.ts';
import type { Log } from './log.ts';
import { type Machine, makeMachine } from './machine.ts';
import type { World } from './world.ts';

/** What the daemon is started with. */
export interface DaemonSetup {
  readonly first: LoadedFile;
  /** Reads the file again; `Left`: all that is wrong with it, a line each. */
  readonly load: () => Either<readonly string[], LoadedFile>;
  readonly signal$: Observable<Request>;
  readonly world: World;
}

/** Has the log know how a reload went, beside whoever asked for it. */
const told =
  (log: Log) =>
  (request: Request): Request => {
    if (request.t !== 'reload') return request;
    const answer = (result: Either<readonly string[], void>): void => {
      if (isLeft(result)) for (const error of result.left) log('error', 'reload failed', { error });
      else log('info', 'reloaded');
      request.answer(result);
    };
    return { t: 'reload', answer };
  };

const ignore = (): void => undefined;

/** What a signal asks, with nobody to answer to. */
export const RELOAD: Request = { t: 'reload', answer: ignore };

class Daemon {
  readonly #setup: DaemonSetup;
  readonly #machine: Machine;
  readonly #admin: AdminDoor;
  readonly #asked$ = new Subject<Request>();
  /** What the routers run on, and what was read last and may come next. */
  #inForce: LoadedFile;
  #candidate: LoadedFile;

  constructor(setup: DaemonSetup) {
    const { first, world } = setup;
    this.#setup = setup;
    this.#inForce = first;
    this.#candidate = first;
    this.#machine = makeMachine(() => this.#inForce.config, world);
    this.#admin = new AdminDoor(this.#handlers(), world.env);
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

  #handlers(): AdminHandlers {
    const { metrics, directory } = this.#machine;
    const { turn } = this.#setup.world;
    const ask = (request: Request): void => this.#asked$.next(request);
    return {
      metrics: () => metrics.render(turn),
      metricsContentType: metrics.contentType,
      config: () => this.#inForce.raw,
      routers: () => directory.routers(),
      reload: () => new Promise((answer) => ask({ t: 'reload', answer })),
      shutdown: () => ask({ t: 'shutdown' }),
      abort: () => ask({ t: 'abort' }),
      hosts: () => this.#inForce.config.admin.hosts,
      turn,
    };
  }

  #lifecycle(): Lifecycle {
    const { env } = this.#setup.world;
    const { context, stop, cut } = this.#machine;
    return {
      first: this.#inForce.config,
      request$: merge(this.#setup.signal$, this.#asked$).pipe(map(told(env.log))),
      load: () => this.#load(),
      prepare: (config) => this.#prepare(config),
      run: (config$) => app(config$, context, env),
      stopping: stop,
      cut,
    };
  }

  #load(): Either<readonly string[], Config> {
    const loaded = this.#setup.load();
    if (isLeft(loaded)) return loaded;
    this.#candidate = loaded.right;
    return right(loaded.right.config);
  }

  /** The admin server first: it is easier to take back. */
  #prepare(config: Config): Observable<Either<readonly string[], Ready>> {
    return this.#admin.reserve(config.admin).pipe(
      mergeMap((door) => {
        if (isLeft(door)) return of(door);
        return this.#machine.listeners.reserve(config).pipe(
          map((listeners) => {
            if (isLeft(listeners)) {
              door.right.cancel();
              return listeners;
            }
            return right({ commit: () => this.#commit(door.right, listeners.right) });
          }),
        );
      }),
    );
  }

  #commit(door: Ready, listeners: Ready): void {
    const { configure, env } = this.#setup.world;
    this.#inForce = this.#candidate;
    const { config, warningLines } = this.#inForce;
    configure(config.log);
    this.#machine.configure(config);
    listeners.commit();
    door.commit();
    for (const warning of warningLines) env.log('warn', warning);
  }
}

/**
 * Runs the daemon: emits the exit code and completes. Its log has said why by then.
 * Owns: every socket of the process but standard error.
 */
export const daemon = (setup: DaemonSetup): Observable<number> => new Daemon(setup).run();
