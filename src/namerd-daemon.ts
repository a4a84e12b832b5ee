/** `linkerd-tcp namerd`: stores, namers and the API that serves them, from the start to the exit code. */
import { isDeepStrictEqual } from 'node:util';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  BehaviorSubject,
  concatMap,
  distinctUntilChanged,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  switchMap,
  take,
} from 'rxjs';
import { makeMetrics } from './admin/metrics.ts';
import type { AdminHandlers } from './admin/server.ts';
import { AdminDoor } from './admin-door.ts';
import type { NamerdConfig, StorageConfig } from './config/build-namerd.ts';
import type { LoadedFile } from './config/read.ts';
import type { Env } from './env.ts';
import { changingNaming } from './interpreter/changing-naming.ts';
import { boundNames } from './interpreter/namers/bound-names.ts';
import { makeNamings } from './interpreter/namings.ts';
import { EXIT, type Ready, type Request } from './lifecycle.ts';
import { FileStore } from './namerd/file-store.ts';
import { makeHandle } from './namerd/handle.ts';
import { Interfaces } from './namerd/interfaces.ts';
import { MemoryStore } from './namerd/memory-store.ts';
import type { DtabStore } from './namerd/store.ts';
import { renewed, told } from './reloads.ts';
import type { World } from './world.ts';

/** What it is started with. */
export interface NamerdSetup {
  readonly first: LoadedFile<NamerdConfig>;
  /** Reads the file again; `Left`: all that is wrong with it, a line each. */
  readonly load: () => Either<readonly string[], LoadedFile<NamerdConfig>>;
  readonly signal$: Observable<Request>;
  readonly world: World;
}

type Reload = Extract<Request, { t: 'reload' }>;

const makeStore = (storage: StorageConfig, env: Env): DtabStore =>
  storage.kind === 'io.l5d.fs'
    ? new FileStore(storage.rootDir, env)
    : new MemoryStore(storage.namespaces);

const STORAGE =
  'storage: expected what it was at the start, got something else; change dtabs by the API, or restart';

const DELEGATE = 'linkerd-tcp namerd has no routers; ask /api/1/delegate of its interfaces';

class Namerd {
  readonly #setup: NamerdSetup;
  readonly #env: Env;
  readonly #file$: BehaviorSubject<LoadedFile<NamerdConfig>>;
  readonly #asked$ = new Subject<Request>();
  readonly #store: DtabStore;
  readonly #interfaces: Interfaces;
  readonly #admin: AdminDoor;

  constructor(setup: NamerdSetup) {
    const { first, world } = setup;
    const { env } = world;
    this.#setup = setup;
    this.#env = env;
    this.#file$ = new BehaviorSubject(first);
    this.#store = makeStore(first.config.storage, env);
    const namings = makeNamings(env);
    const namers$ = this.#file$.pipe(
      map(({ config }) => config.namers),
      distinctUntilChanged((one, other) => isDeepStrictEqual(one, other)),
    );
    const naming = changingNaming(namers$.pipe(map(namings), distinctUntilChanged()));
    const bound$ = namers$.pipe(switchMap((namers) => boundNames(namers, env)));
    this.#interfaces = new Interfaces(makeHandle({ naming, store: this.#store, bound$ }, env), env);
    this.#admin = new AdminDoor(this.#handlers(), env);
  }

  readonly run = (): Observable<number> => {
    this.#setup.world.configure(this.#setup.first.config.log);
    return this.#prepare(this.#setup.first).pipe(
      mergeMap((ready) => {
        if (isLeft(ready)) {
          for (const error of ready.left) this.#env.log('error', error);
          return of(EXIT.failed);
        }
        ready.right.commit();
        return this.#live();
      }),
      finalize(() => {
        this.#interfaces.close();
        this.#admin.close();
      }),
    );
  };

  #handlers(): AdminHandlers {
    const { world } = this.#setup;
    const metrics = makeMetrics({
      names: () => [],
      servers: () => [],
      bufferedBytes: () => 0,
      api: () => this.#interfaces.counts(),
      logDropped: world.logDropped,
      maxNameSeries: () => 0,
    });
    const ask = (request: Request): void => this.#asked$.next(request);
    return {
      metrics: () => metrics.render(world.turn),
      config: () => this.#file$.value.raw,
      routers: () => [],
      delegate: () => Promise.resolve(left(DELEGATE)),
      explain: () => Promise.resolve(left('namerd routes no connection')),
      recording: () => left('namerd routes no connection'),
      reload: () => new Promise((answer) => ask({ t: 'reload', what: 'config', answer })),
      shutdown: () => ask({ t: 'shutdown' }),
      abort: () => ask({ t: 'abort' }),
      hosts: () => [],
      turn: world.turn,
    };
  }

  #live(): Observable<number> {
    const renewed$ = renewed(this.#file$.pipe(map(({ paths }) => paths)), this.#env);
    const end$ = merge(this.#setup.signal$, this.#asked$, renewed$).pipe(
      map(told(this.#env.log)),
      concatMap((request) => {
        if (request.t === 'reload') return this.#reload(request);
        return of(request.t === 'abort' ? EXIT.failed : EXIT.ok);
      }),
    );
    // Followed all the time, so that whoever asks once finds what two looks at the files have found.
    const followed$ = this.#store.list$.pipe(ignoreElements());
    return merge(followed$, end$).pipe(take(1));
  }

  #reload({ what, answer }: Reload): Observable<never> {
    const loaded = what === 'config' ? this.#setup.load() : this.#file$.value.again();
    const prepared$ = isLeft(loaded) ? of(loaded) : this.#prepare(loaded.right);
    return prepared$.pipe(
      map((ready) => {
        if (isLeft(ready)) return answer(ready);
        ready.right.commit();
        answer(right(undefined));
      }),
      ignoreElements(),
    );
  }

  /** The admin server first: it is easier to take back. */
  #prepare(file: LoadedFile<NamerdConfig>): Observable<Either<readonly string[], Ready>> {
    const { admin, interfaces, storage } = file.config;
    if (!isDeepStrictEqual(storage, this.#setup.first.config.storage)) return of(left([STORAGE]));
    return this.#admin.reserve(admin).pipe(
      mergeMap((door) => {
        if (isLeft(door)) return of(door);
        return this.#interfaces.reserve(interfaces).pipe(
          map((listeners) => {
            if (isLeft(listeners)) {
              door.right.cancel();
              return listeners;
            }
            return right({ commit: () => this.#commit(file, [door.right, listeners.right]) });
          }),
        );
      }),
    );
  }

  #commit(file: LoadedFile<NamerdConfig>, parts: readonly Ready[]): void {
    this.#setup.world.configure(file.config.log);
    this.#file$.next(file);
    for (const part of parts) part.commit();
    for (const warning of file.warningLines) this.#env.log('warn', warning);
  }
}

/** Runs until it is told to end: emits the exit code and completes. Its log has said why by then. */
export const namerdDaemon = (setup: NamerdSetup): Observable<number> => new Namerd(setup).run();
