/** Sources that several ask for: each is observed once, and none can take its observers down. */
import {
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
  map,
  NEVER,
  type Observable,
  of,
  ReplaySubject,
  share,
  switchMap,
  throttle,
  timer,
} from 'rxjs';
import type { Env } from '../env.ts';

/** A source that threw is asked again after so long. */
export const FAULT_MS = 5_000;

/** A source that nobody observes any more goes on for so long: who changes hands need not begin anew. */
export const LINGER_MS = 1_000;

const NONSENSE = 'internal: expected what a namer may say, got something else';

/** How sources are guarded. */
export interface Guard<V> {
  /** What stands for an error. */
  readonly failed: (cause: string) => V;
  /** Whether it is a value at all: sources are others’ code too. */
  readonly isValue: (value: unknown) => value is V;
  /** What comes sooner after another value waits for the end of this time; of several the last one counts. */
  readonly windowMs: number;
}

/** Turns an error into a value and asks again later; thins out what comes too fast. Errors: none. Ends: never. */
export const guarded = <V extends { readonly t: string }>(
  source$: Observable<V>,
  { failed, isValue, windowMs }: Guard<V>,
  { scheduler }: Env,
): Observable<V> =>
  concat(source$, NEVER).pipe(
    map((value) => (isValue(value) ? value : failed(NONSENSE))),
    catchError((error: unknown, again$) =>
      concat(
        of(failed(`internal: ${error instanceof Error ? error.message : String(error)}`)),
        timer(FAULT_MS, scheduler).pipe(switchMap(() => again$)),
      ),
    ),
    // Whoever waits for the first word has waited long enough.
    throttle(({ t }) => (t === 'pending' ? EMPTY : timer(windowMs, scheduler)), {
      leading: true,
      trailing: true,
    }),
  );

/**
 * Shares sources by a key of what they are asked for: one is subscribed while somebody holds it and `LINGER_MS` longer,
 * and who comes later gets the last value first. Bounds: what is held, and was until then.
 */
export const sharedBy = <A, V>(
  keyOf: (asked: A) => string,
  source: (asked: A) => Observable<V>,
  { scheduler }: Env,
): ((asked: A) => Observable<V>) => {
  const shared = new Map<string, Observable<V>>();
  const make = (key: string, asked: A): Observable<V> => {
    const made = defer(() => source(asked)).pipe(
      finalize(() => shared.delete(key)),
      share({
        connector: () => new ReplaySubject<V>(1),
        resetOnRefCountZero: () => timer(LINGER_MS, scheduler),
      }),
    );
    shared.set(key, made);
    return made;
  };
  // Found when it is subscribed: what is only asked for leaves nothing behind, and what was kept is not outlived.
  return (asked) =>
    defer(() => {
      const key = keyOf(asked);
      return shared.get(key) ?? make(key, asked);
    });
};
