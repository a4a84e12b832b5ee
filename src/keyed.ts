/** Lists that change over time, as one running thing per item: what a reload is made of. */
import {
  endWith,
  filter,
  groupBy,
  type MonoTypeOperatorFunction,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  ReplaySubject,
  scan,
  share,
  takeWhile,
} from 'rxjs';

type Change<T> = { readonly key: string; readonly item: T | undefined };

/** Gives the latest value to whoever subscribes, also after the source has ended. */
export const replayed = <T>(): MonoTypeOperatorFunction<T> =>
  share({
    connector: () => new ReplaySubject<T>(1),
    resetOnRefCountZero: false,
    resetOnComplete: false,
    resetOnError: false,
  });

const isPresent = <T>(item: T | undefined): item is T => item !== undefined;

/** What differs between the keys so far and a new list: the items that are gone, then all that are there. */
const changes = <T>(
  former: readonly Change<T>[],
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly Change<T>[] => {
  const present = items.map((item) => ({ key: keyOf(item), item }));
  const keys = new Set(present.map(({ key }) => key));
  const gone = former
    .filter(({ key, item }) => item !== undefined && !keys.has(key))
    .map(({ key }) => ({ key, item: undefined }));
  return [...gone, ...present];
};

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
    lists$.pipe(
      scan<readonly T[], readonly Change<T>[]>(
        (former, items) => changes(former, items, keyOf),
        [],
      ),
      mergeMap((batch) => batch),
      groupBy(({ key }) => key, {
        duration: (change$) => change$.pipe(filter(({ item }) => item === undefined)),
        // Whoever subscribes to an item later than at once still gets its latest value.
        connector: () => new ReplaySubject(1),
      }),
      mergeMap((change$) =>
        run(
          change$.pipe(
            map(({ item }) => item),
            endWith(undefined),
            takeWhile(isPresent),
            replayed(),
          ),
          change$.key,
        ),
      ),
    );
