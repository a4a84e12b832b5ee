/** Keyed lists at their edges; what they promise is told in marbles/keyed.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY, endWith, from, ignoreElements, map, of, Subject } from 'rxjs';
import { keyed, replayed } from '../src/keyed.ts';

const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));

test('whatever the lists, each key runs once for each stretch of lists that names it', () => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 12 }), (lists) => {
      const running: string[] = [];
      let begun = 0;
      from([...lists, []])
        .pipe(
          keyed(
            (key: string) => key,
            (item$, key) => {
              assert.ok(!running.includes(key), `${key} runs twice`);
              running.push(key);
              begun += 1;
              return item$.pipe(
                ignoreElements(),
                endWith(key),
                map(() => running.splice(running.indexOf(key), 1)),
              );
            },
          ),
        )
        .subscribe();
      const stretches = lists.flatMap((list, i) =>
        list.filter((key) => lists[i - 1]?.includes(key) !== true),
      );
      assert.equal(begun, stretches.length);
      assert.deepEqual(running, []);
    }),
    { numRuns: 200 },
  );
});

test('a thing that has ended by itself is not run again while its key stays', () => {
  const lists$ = new Subject<readonly string[]>();
  let begun = 0;
  lists$
    .pipe(
      keyed(
        (key) => key,
        () => {
          begun += 1;
          return EMPTY;
        },
      ),
    )
    .subscribe();
  lists$.next(['a']);
  lists$.next(['a']);
  assert.equal(begun, 1);
  lists$.next([]);
  lists$.next(['a']);
  assert.equal(begun, 2);
});

test('leaving leaves every thing and the lists', () => {
  const lists$ = new Subject<readonly string[]>();
  const inner$ = new Subject<string>();
  const subscription = lists$
    .pipe(
      keyed(
        (key) => key,
        () => inner$,
      ),
    )
    .subscribe();
  lists$.next(['a', 'b']);
  assert.ok(inner$.observed);
  subscription.unsubscribe();
  assert.ok(!inner$.observed && !lists$.observed);
});

test('a replayed source is subscribed once, and gives its latest value even after its end', () => {
  let begun = 0;
  const source$ = of(1, 2).pipe(
    map((value) => {
      begun += value === 1 ? 1 : 0;
      return value;
    }),
    replayed(),
  );
  const seen: number[] = [];
  source$.subscribe((value) => seen.push(value));
  source$.subscribe((value) => seen.push(value));
  assert.deepEqual([seen, begun], [[1, 2, 2], 1]);
});
