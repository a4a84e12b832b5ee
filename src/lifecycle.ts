/** From the first config to the exit code: reloads, draining, the grace, and the end. */
import type { Either } from 'fp-ts/lib/Either.js';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  concatMap,
  defer,
  delay,
  EMPTY,
  endWith,
  filter,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  share,
  skip,
  startWith,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import type { Config } from './config/config.ts';
import type { Env } from './env.ts';
import { LONGEST_MS } from './timers.ts';

/** The config file with all that it names, or only the files that the config in force names. */
export type Reloaded = 'config' | 'certificates';

/** What is asked of a running daemon: by a signal or by the admin server. */
export type Request =
  | {
      readonly t: 'reload';
      readonly what: Reloaded;
      readonly answer: (result: Either<readonly string[], void>) => void;
    }
  /** Drain; a second one aborts. */
  | { readonly t: 'shutdown' }
  | { readonly t: 'abort' };

/** A config whose listeners are bound, ready to take effect. */
export interface Ready {
  readonly commit: () => void;
}

/** What a life consists of. */
export interface Lifecycle {
  readonly first: Config;
  readonly request$: Observable<Request>;
  /** Reads files again. */
  readonly load: (what: Reloaded) => Either<readonly string[], Config>;
  /** Binds what a config needs: all of it or, with the errors told, none. */
  readonly prepare: (config: Config) => Observable<Either<readonly string[], Ready>>;
  /** Runs the configs until they end and the last stream has. */
  readonly run: (config$: Observable<Config>) => Observable<never>;
  /** The configs are about to end: nothing listens from now on. */
  readonly stopping: (config: Config) => void;
  /** Cuts every stream: the grace is over. */
  readonly cut: (config: Config) => void;
}

/** Exit codes of a daemon that had a valid config. */
export const EXIT = { ok: 0, failed: 1 } as const;

/** After the cut sockets need a moment to close; whatever is still there then does not hold up the exit. */
const CUT_MS = 1000;

const only =
  <T extends Request['t']>(t: T) =>
  (request: Request): request is Extract<Request, { t: T }> =>
    request.t === t;

/** One reload: the new config if all of it is good, else nothing; whoever asked is told which. */
const reload =
  ({ load, prepare }: Lifecycle) =>
  ({ what, answer }: Extract<Request, { t: 'reload' }>): Observable<Config> =>
    defer(() => {
      const loaded = load(what);
      if (isLeft(loaded)) {
        answer(left(loaded.left));
        return EMPTY;
      }
      return prepare(loaded.right).pipe(
        mergeMap((prepared) => {
          if (isLeft(prepared)) {
            answer(left(prepared.left));
            return EMPTY;
          }
          prepared.right.commit();
          return of(loaded.right).pipe(tap({ complete: () => answer(right(undefined)) }));
        }),
      );
    });

/**
 * Lives from the first config, which is in effect already, to the exit code: `EXIT.ok` after a drain,
 * `EXIT.failed` when told to stop at once. Emits that code and completes.
 *
 *   requests  --r-----s------        r reload  s shutdown
 *   configs   1-2-----|              ended configs make the routers drain
 *   streams   ==========|            … and the exit waits for the last, at most graceSecs
 *   exit      ----------(0|)
 *
 * Order: reloads one after the other; those asked for after a shutdown are not answered.
 */
export const live = (setup: Lifecycle, env: Env): Observable<number> => {
  const { first, run, stopping, cut } = setup;
  const request$ = setup.request$.pipe(share());
  let config = first;
  const shutdown$ = request$.pipe(filter(only('shutdown')));
  const stop$ = shutdown$.pipe(
    take(1),
    tap(() => stopping(config)),
  );
  const config$ = request$.pipe(
    filter(only('reload')),
    concatMap(reload(setup)),
    takeUntil(stop$),
    startWith(first),
    tap((next) => {
      config = next;
    }),
  );
  const drained$ = run(config$).pipe(endWith(EXIT.ok));
  const overdue$ = shutdown$.pipe(
    take(1),
    mergeMap(() =>
      of(config).pipe(delay(Math.min(config.admin.graceSecs * 1000, LONGEST_MS), env.scheduler)),
    ),
    tap(cut),
    delay(CUT_MS, env.scheduler),
    map(() => EXIT.ok),
  );
  const aborted$ = merge(request$.pipe(filter(only('abort'))), shutdown$.pipe(skip(1))).pipe(
    map(() => EXIT.failed),
  );
  // The abort stands first: it must be heard while the others are being torn down.
  return merge(aborted$, overdue$, drained$).pipe(take(1));
};
