/** The trampoline: what an event causes waits until the event is done with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEVER, Subject, throwError } from 'rxjs';
import { serialize } from '../src/serialize.ts';

test('what an event causes comes after it, however deep', () => {
  const source$ = new Subject<number>();
  const order: string[] = [];
  source$.pipe(serialize()).subscribe((value) => {
    order.push(`<${value}`);
    if (value < 3) source$.next(value + 1);
    order.push(`${value}>`);
  });
  source$.next(1);
  assert.deepEqual(order, ['<1', '1>', '<2', '2>', '<3', '3>']);
});

test('a chain of 100,000 causes does not overflow the stack', () => {
  const source$ = new Subject<number>();
  let last = 0;
  source$.pipe(serialize()).subscribe((value) => {
    last = value;
    if (value < 100_000) source$.next(value + 1);
  });
  source$.next(1);
  assert.equal(last, 100_000);
});

test('what one event causes is delivered in the order in which it was caused', () => {
  const source$ = new Subject<string>();
  const order: string[] = [];
  source$.pipe(serialize()).subscribe((value) => {
    order.push(value);
    if (value.length < 3) for (const letter of 'ab') source$.next(value + letter);
  });
  source$.next('x');
  assert.deepEqual(order, ['x', 'xa', 'xb', 'xaa', 'xab', 'xba', 'xbb']);
});

test('the end comes after what waits', () => {
  const source$ = new Subject<number>();
  const order: (number | string)[] = [];
  source$.pipe(serialize()).subscribe({
    next: (value) => {
      order.push(value);
      if (value !== 1) return;
      source$.next(2);
      source$.complete();
    },
    complete: () => order.push('end'),
  });
  source$.next(1);
  assert.deepEqual(order, [1, 2, 'end']);
});

test('an error passes on', () => {
  let seen: unknown;
  throwError(() => 'bad')
    .pipe(serialize())
    .subscribe({ error: (error: unknown) => (seen = error) });
  assert.equal(seen, 'bad');
});

test('whoever leaves in the middle gets nothing of what waits', () => {
  const source$ = new Subject<number>();
  const order: number[] = [];
  const subscription = source$.pipe(serialize()).subscribe((value) => {
    order.push(value);
    source$.next(value + 1);
    if (value === 2) subscription.unsubscribe();
  });
  source$.next(1);
  assert.deepEqual(order, [1, 2]);
  assert.equal(source$.observed, false);
});

test('leaving ends the source', () => {
  let isOver = false;
  const subscription = NEVER.pipe(serialize()).subscribe();
  subscription.add(() => {
    isOver = true;
  });
  subscription.unsubscribe();
  assert.ok(isOver);
});
