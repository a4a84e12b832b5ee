/** `linkerd-tcp namerd`: stores, namers and the API that serves them, from the start to the exit code. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  combineLatest,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  take,
} from 'rxjs';
import { makeAddress } from './address.ts';
import type { ApiCounts } from './admin/gauges.ts';
import { makeMetrics } from './admin/metrics.ts';
import { type AdminHandlers, bindAdmin } from './admin/server.ts';
import type { NamerdConfig, StorageConfig } from './config/build-namerd.ts';
import type { LoadedFile } from './config/read.ts';
import type { Env } from './env.ts';
import { boundNames } from './interpreter/namers/bound-names.ts';
import { makeNamings } from './interpreter/namings.ts';
import { EXIT, type Request } from './lifecycle.ts';
import { FileStore } from './namerd/file-store.ts';
import { makeHandle } from './namerd/handle.ts';
import { MemoryStore } from './namerd/memory-store.ts';
import { type Listening, listen } from './namerd/server.ts';
import type { DtabStore } from './namerd/store.ts';
import type { World } from './world.ts';

/** What it is started with. */
export interface NamerdSetup {
  readonly file: LoadedFile<NamerdConfig>;
  readonly signal$: Observable<Request>;
  readonly world: World;
}

const makeStore = (storage: StorageConfig, env: Env): DtabStore =>
  storage.kind === 'io.l5d.fs'
    ? new FileStore(storage.rootDir, env)
    : new MemoryStore(storage.namespaces);

const RELOAD =
  'linkerd-tcp namerd reads its configuration at the start only; dtabs are changed by its API';

const DELEGATE = 'linkerd-tcp namerd has no routers; ask /api/1/delegate of its interfaces';

const handlersOf = (
  { file, world }: NamerdSetup,
  asked$: Subject<Request>,
  counts: () => ApiCounts,
): AdminHandlers => {
  const metrics = makeMetrics({
    names: () => [],
    servers: () => [],
    bufferedBytes: () => 0,
    api: counts,
    logDropped: world.logDropped,
    maxNameSeries: () => 0,
  });
  return {
    metrics: () => metrics.render(world.turn),
    config: () => file.raw,
    routers: () => [],
    delegate: () => Promise.resolve(left(DELEGATE)),
    explain: () => Promise.resolve(left('namerd routes no connection')),
    recording: () => left('namerd routes no connection'),
    reload: () => Promise.resolve(left([RELOAD])),
    shutdown: () => asked$.next({ t: 'shutdown' }),
    abort: () => asked$.next({ t: 'abort' }),
    hosts: () => [],
    turn: world.turn,
  };
};

const totalOf = (all: readonly ApiCounts[]): ApiCounts => ({
  watches: all.reduce((sum, one) => sum + one.watches, 0),
  requests: all.reduce((sum, one) => sum + one.requests, 0),
  refused: all.reduce((sum, one) => sum + one.refused, 0),
});

/** Serves for as long as it is subscribed: emits all interfaces, or all that is wrong. Ends: never. */
const serve = (
  { config }: LoadedFile<NamerdConfig>,
  env: Env,
): Observable<Either<readonly string[], readonly Listening[]>> => {
  const { namers, storage, interfaces } = config;
  const naming = makeNamings(env)(namers);
  const store = makeStore(storage, env);
  const handle = makeHandle({ naming, store, bound$: boundNames(namers, env) }, env);
  const all$ = combineLatest(
    interfaces.map((one) => listen({ ...one, place: `${one.place}.port`, handle }, env)),
  );
  // Followed all the time, so that whoever asks once finds what two looks at the files have found.
  const followed$ = store.list$.pipe(ignoreElements());
  return merge(followed$, all$).pipe(
    map((all) => {
      const errors = all.flatMap((one) => (isLeft(one) ? [one.left] : []));
      if (errors.length > 0) return left(errors);
      return right(all.flatMap((one) => (isLeft(one) ? [] : [one.right])));
    }),
  );
};

/** Runs until it is told to end: emits the exit code and completes. Its log has said why by then. */
export const namerdDaemon = (setup: NamerdSetup): Observable<number> => {
  const { file, signal$, world } = setup;
  const { env } = world;
  const { admin, log } = file.config;
  world.configure(log);
  const asked$ = new Subject<Request>();
  for (const warning of file.warningLines) env.log('warn', warning);
  const end$ = merge(signal$, asked$).pipe(
    mergeMap((request) => {
      if (request.t !== 'reload') return of(request.t === 'abort' ? EXIT.failed : EXIT.ok);
      env.log('warn', RELOAD);
      request.answer(left([RELOAD]));
      return [];
    }),
  );
  let listening: readonly Listening[] = [];
  const counts = (): ApiCounts => totalOf(listening.map((one) => one.counts()));
  const handlers = handlersOf(setup, asked$, counts);
  const door$ = bindAdmin(makeAddress(admin.ip, admin.port), handlers, env);
  return door$.pipe(
    mergeMap((door) => {
      const refused = (errors: readonly string[]): Observable<number> => {
        for (const error of errors) env.log('error', error);
        return of(EXIT.failed);
      };
      if (isLeft(door)) return refused([door.left]);
      return serve(file, env).pipe(
        mergeMap((all) => {
          if (isLeft(all)) return refused(all.left);
          listening = all.right;
          for (const { address } of listening)
            env.log('info', 'namerd listening', { addr: address });
          return end$;
        }),
        finalize(() => door.right.close()),
      );
    }),
    take(1),
  );
};
