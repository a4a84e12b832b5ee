/** The app as a function of its configs: routers that come, change and go as the file says. */
import { catchError, EMPTY, map, type Observable } from 'rxjs';
import type { Config } from './config/config.ts';
import type { Env } from './env.ts';
import { keyed } from './keyed.ts';
import { type RouterContext, router } from './router.ts';

/**
 * Runs the routers of each config. A router is its label: one that is in the next config goes on, one
 * that is not takes no more connections, and ends with its last stream.
 *
 *   configs  -1-------2--------|      router a is in both, b only in 1, c only in 2
 *   a        -a-------a--------|      goes on
 *   b        -b-------|     .         its streams end by themselves
 *   c        ---------c--------|
 *
 * Emits nothing. Ends: when the configs have ended and the last stream has; so shutting down means to
 * end the configs. Errors: never; a router that breaks is told in the log, and the others go on.
 */
export const app = (
  config$: Observable<Config>,
  context: RouterContext,
  env: Env,
): Observable<never> =>
  config$.pipe(
    map(({ routers }) => routers),
    keyed(
      ({ label }) => label,
      (router$, rt) =>
        router(router$, context, env).pipe(
          catchError((error: unknown) => {
            env.log('error', 'router broke', { rt, error: String(error) });
            return EMPTY;
          }),
        ),
    ),
  );
