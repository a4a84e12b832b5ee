/** Lists that change over time, as one running thing per item: what a reload is made of. */
import {
  defer,
  endWith,
  type MonoTypeOperatorFunction,
  mergeAll,
  mergeMap,
  type Observable,
  type OperatorFunction,
  ReplaySubject,
  share,
} from 'rxjs';

/** Gives the latest value to whoever subscribes, also after the source has ended. */
export const replayed = <T>(): MonoTypeOperatorFunction<T> =>
  share({
    connector: () => new ReplaySubject<T>(1),
    resetOnRefCountZero: false,
    resetOnComplete: false,
    resetOnError: false,
  });

/**
 * Runs one inner Observable per key for as long as the key is in the list.
 *
 *   lists  -[a b]---[b' c]---|     a leaves, b changes, c comes
 *   a      -a-------|              its item$ completes; the inner ends when it likes
 *   b      -b-------b'-------|
 *   c      ---------c--------|
 *
 * Order: those that leave are told first. Ends: when the lists have ended and every inner has.
 * Each `item$` gives its latest value to whoever subscribes. Keys within one list are unique.
 */
export const keyed =
  <T, R>(
    keyOf: (item: T) => string,
    run: (item$: Observable<T>, key: string) => Observable<R>,
  ): OperatorFunction<readonly T[], R> =>
  (lists$) =>
    defer(() => {
      const running = new Map<string, ReplaySubject<T>>();
      /** Ends the keys that a list lacks, passes on what it says of the others, and gives those that are new. */
      function* follow(items: readonly T[]): Generator<Observable<R>> {
        const present = new Map(items.map((item) => [keyOf(item), item]));
        for (const [key, item$] of running) {
          if (present.has(key)) continue;
          running.delete(key);
          item$.complete();
        }
        for (const [key, item] of present) {
          const known$ = running.get(key);
          const item$ = known$ ?? new ReplaySubject<T>(1);
          running.set(key, item$);
          item$.next(item);
          if (known$ === undefined) yield run(item$.asObservable(), key);
        }
      }
      // The end of the lists is a list of nothing.
      return lists$.pipe(endWith([]), mergeMap(follow), mergeAll());
    });
