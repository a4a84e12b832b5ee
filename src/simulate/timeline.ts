/** Values that are said at their times. */
import { concat, delay, from, mergeMap, NEVER, type Observable, of } from 'rxjs';
import type { Env } from '../env.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { At } from './scenario.ts';

/** Says each value at its time; what is late already, at once. Ends: never. */
export const saying = <T>(values: readonly At<T>[], { scheduler }: Env): Observable<T> =>
  concat(
    from(values).pipe(
      mergeMap(({ at, value }) => {
        const ms = at - scheduler.now();
        return ms <= 0 ? of(value) : of(value).pipe(delay(ms, scheduler));
      }),
    ),
    NEVER,
  );

/** What a name is known to be at the time at which it is asked for, and what it becomes; of which nothing is said is not there. */
export const resolving = (
  said: readonly At<Resolution>[] | undefined,
  env: Env,
): Observable<Resolution> => {
  if (said === undefined) return concat(of<Resolution>({ t: 'neg' }), NEVER);
  const now = env.scheduler.now();
  const [latest] = said.filter(({ at }) => at <= now).slice(-1);
  const later = said.filter(({ at }) => at > now);
  const first = latest === undefined ? [] : [{ at: now, value: latest.value }];
  return saying([...first, ...later], env);
};
