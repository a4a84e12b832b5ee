/** Routers inside one’s own process: configurations in, events out. */
import { isLeft } from 'fp-ts/lib/Either.js';
import {
  concatMap,
  connect,
  defer,
  EMPTY,
  finalize,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  take,
} from 'rxjs';
import type { Config } from './config/config.ts';
import { type LocalEngine, localEngine } from './engine.ts';
import type { RouterEvent } from './event.ts';
import type { Interpret } from './machine.ts';
import { makeWorld } from './world.ts';

/** What routers run on. */
export interface EmbedSetup {
  /** The configurations, each in the place of the one before. Its end drains. */
  readonly config$: Observable<Config>;
  /** Resolves names in the place of the interpreters that the configuration names. */
  readonly interpret?: Interpret;
}

/**
 * Runs the routers of configurations in this process, as the daemon does, but for its admin server and its workers. A
 * configuration takes effect when all its listeners are bound; streams go on across changes.
 * Emits all that happens. Errors: the first configuration’s listeners could not be bound, a line each; what is wrong with a later
 * one is logged, and the one before stays. Ends: when the configurations have ended and the last stream has. Unsubscribing
 * cuts all streams; a timer may keep the process for 10 s after that. Owns: every socket.
 */
export const runRouters = ({ config$, interpret }: EmbedSetup): Observable<RouterEvent> =>
  defer(() => {
    const world = makeWorld();
    const event$ = new Subject<RouterEvent>();
    const options = {
      heard: (event: RouterEvent) => event$.next(event),
      ...(interpret === undefined ? {} : { interpret }),
    };
    let made: LocalEngine | undefined;
    let inForce: Config | undefined;
    const engineFor = (config: Config): LocalEngine => {
      made ??= localEngine(() => inForce ?? config, world, options);
      return made;
    };
    const take$ = (config: Config, i: number): Observable<Config> =>
      engineFor(config)
        .prepare(config)
        .pipe(
          concatMap((prepared) => {
            if (!isLeft(prepared)) {
              inForce = config;
              world.configure(config.log);
              prepared.right.commit();
              return of(config);
            }
            if (i === 0) throw new Error(prepared.left.join('\n'));
            for (const error of prepared.left) world.env.log('error', error);
            return EMPTY;
          }),
        );
    const running$ = config$.pipe(
      concatMap(take$),
      connect((good$) =>
        good$.pipe(
          take(1),
          mergeMap((first) => engineFor(first).run(merge(of(first), good$))),
        ),
      ),
      finalize(() => {
        if (inForce === undefined) return;
        made?.stop(inForce);
        made?.cut(inForce);
      }),
    );
    // The events end with the routers.
    return merge(event$, running$.pipe(finalize(() => event$.complete())));
  });
