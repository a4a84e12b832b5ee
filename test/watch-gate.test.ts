/** The gate of watches: connections keep most of the descriptors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subject } from 'rxjs';
import { makeWatchGate } from '../src/interpreter/watch-gate.ts';
import { Descriptors } from '../src/server/descriptors.ts';

test('watches hold a quarter of the descriptors at most, each counted; the next waits its turn', () => {
  const descriptors = new Descriptors(8);
  const gate = makeWatchGate(descriptors);
  const heard: string[] = [];
  const source$ = new Subject<number>();
  const [first] = ['a', 'b', 'c'].map((name) =>
    gate(source$).subscribe((value) => heard.push(`${name}${value}`)),
  );
  assert.equal(descriptors.held, 2);
  source$.next(1);
  assert.deepEqual(heard, ['a1', 'b1']);
  first?.unsubscribe();
  assert.equal(descriptors.held, 2, 'the third took its place');
  source$.next(2);
  assert.deepEqual(heard, ['a1', 'b1', 'b2', 'c2']);
  source$.complete();
  assert.equal(descriptors.held, 0);
});

test('where the system has no limit, nor have watches; where it is tiny, one watch is left', () => {
  for (const [limit, held] of [
    [Number.POSITIVE_INFINITY, 100],
    [2, 1],
  ] as const) {
    const descriptors = new Descriptors(limit);
    const gate = makeWatchGate(descriptors);
    const all = Array.from({ length: 100 }, () => gate(new Subject()).subscribe());
    assert.equal(descriptors.held, held);
    for (const one of all) one.unsubscribe();
    assert.equal(descriptors.held, 0);
  }
});
