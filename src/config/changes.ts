/** Files of certificates and keys that change under a running daemon. */
import {
  concat,
  defer,
  distinctUntilChanged,
  exhaustMap,
  from,
  interval,
  map,
  type Observable,
  type ObservableInput,
  skip,
} from 'rxjs';
import type { Env } from '../env.ts';

/** Between two looks. A pair that is replaced file by file is seldom seen in between. */
export const LOOK_MS = 2000;

/**
 * Emits when what `look` finds is not what it found before. It asks the file system each time: no watch of it tells of
 * every way in which files are replaced.
 *
 *   look  a-----a-----b-----b     every LOOK_MS; one at a time
 *   out   ------------x------
 *
 * Errors: those of `look`. Ends: never.
 */
export const changes = (look: () => ObservableInput<string>, env: Env): Observable<void> =>
  concat(
    defer(() => from(look())),
    interval(LOOK_MS, env.scheduler).pipe(exhaustMap(look)),
  ).pipe(
    distinctUntilChanged(),
    skip(1),
    map(() => undefined),
  );
