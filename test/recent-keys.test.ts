/** Keys that were used last, against a model that sorts them by their last use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentKeys } from '../src/operators/recent-keys.ts';

test('a key keeps its slot until it is the one that has been quiet longest and another one needs it', () => {
  const uses = fc.array(fc.nat(300), { maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), uses, (most, keys) => {
      const begun: number[] = [];
      const recent = new RecentKeys(most, (slot) => begun.push(slot));
      /** Oldest first. */
      const model = new Map<number, number>();
      for (const key of keys) {
        const known = model.get(key);
        const [oldest] = model;
        const count = begun.length;
        const slot = recent.slotOf(`10.0.0.${key}`);
        if (known === undefined) {
          if (model.size === most && oldest !== undefined) {
            assert.equal(slot, oldest[1], 'the slot of the oldest');
            model.delete(oldest[0]);
          } else assert.equal(slot, model.size + 1, 'a new slot');
          assert.deepEqual(begun.slice(count), [slot]);
        } else {
          assert.equal(slot, known);
          assert.equal(begun.length, count, 'nothing begins anew');
        }
        model.delete(key);
        model.set(key, slot);
        assert.equal(recent.size, model.size);
      }
    }),
    { numRuns: 300 },
  );
});
