/** The queue of things that fall due, against a plain sorted list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Due, DueQueue } from '../src/heap.ts';

const makeItems = (count: number): Due[] =>
  Array.from({ length: count }, () => ({ due: 0, slot: -1 }));

const action = fc.oneof(
  fc.record({ t: fc.constant('put'), item: fc.nat(9), due: fc.nat(20) }),
  fc.record({ t: fc.constant('remove'), item: fc.nat(9), due: fc.constant(0) }),
  fc.record({ t: fc.constant('take'), item: fc.constant(0), due: fc.nat(20) }),
);

test('whatever is put, moved, removed and taken, the first due comes first', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100, size: 'max' }), (actions) => {
      const items = makeItems(10);
      const queue = new DueQueue<Due>();
      const model = new Set<Due>();
      const least = (): number => Math.min(...[...model].map(({ due }) => due));
      for (const { t, item: nth, due } of actions) {
        const item = items[nth] ?? assert.fail();
        if (t === 'put') {
          queue.put(item, due);
          model.add(item);
        } else if (t === 'remove') {
          queue.remove(item);
          model.delete(item);
        } else {
          const first = least();
          const taken = queue.take(due);
          assert.equal(taken?.due, first <= due ? first : undefined);
          if (taken !== undefined) model.delete(taken);
        }
        assert.equal(queue.size, model.size);
        assert.equal(queue.peek()?.due ?? Number.POSITIVE_INFINITY, least());
        for (const one of items) assert.equal(one.slot >= 0, model.has(one));
      }
    }),
    { numRuns: 500 },
  );
});

test('an item that is due earlier than now is taken, one that is due later is not', () => {
  const queue = new DueQueue<Due>();
  const [early, late] = makeItems(2);
  assert.ok(early !== undefined && late !== undefined);
  queue.put(late, 10.5);
  queue.put(early, 10);
  assert.equal(queue.take(9.9), undefined);
  assert.equal(queue.take(10), early);
  assert.equal(queue.take(10), undefined);
  assert.equal(queue.take(10.5), late);
});
