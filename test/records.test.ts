/** Records put together: whatever is paused, leased or given back between them, the bytes stay in order and whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RECORD_BYTES, Records } from '../src/socket/records.ts';
import { pattern } from './support/sockets.ts';

/** Records whose pieces are noted, and whose turns are taken by hand; the test is the library that decrypts. */
const start = () => {
  const told: Buffer[] = [];
  const put: (() => void)[] = [];
  const heard = { isPausing: false, kept: 0 };
  const shared = Buffer.alloc(4 * RECORD_BYTES);
  const records: Records = new Records({
    tell: (memory, length) => {
      told.push(Buffer.from(memory.subarray(0, length)));
      if (heard.isPausing) records.pause();
    },
    keep: (bytes) => {
      heard.kept += bytes;
    },
    soon: (task) => put.push(task),
    shared,
  });
  let place: Buffer = shared;
  let taken = 0;
  return {
    records,
    heard,
    told,
    text: () => Buffer.concat(told),
    taken: () => taken,
    /** Whether the next record goes to memory that all share. */
    isShared: () => place === shared,
    take: (length: number) => {
      pattern(1, taken, length).copy(place);
      taken += length;
      place = records.take(length) ?? place;
      // Everybody decrypts into it.
      shared.fill(0);
    },
    lease: (memory: Buffer | undefined) => {
      place = records.lease(memory) ?? place;
    },
    turn: () => {
      for (const task of put.splice(0)) task();
    },
  };
};

test('without leased memory each record is told as it comes', () => {
  const { records, take, told } = start();
  records.flow();
  take(5);
  take(RECORD_BYTES);
  assert.deepEqual(
    told.map(({ length }) => length),
    [5, RECORD_BYTES],
  );
});

test('into leased memory they are put together: until one is not full, or it is, or the turn is over', () => {
  const { records, lease, take, told, turn } = start();
  records.flow();
  lease(Buffer.alloc(3 * RECORD_BYTES));
  for (const length of [RECORD_BYTES, RECORD_BYTES, 7]) take(length);
  for (let i = 0; i < 3; i++) take(RECORD_BYTES);
  take(RECORD_BYTES);
  const before = told.length;
  turn();
  assert.deepEqual(
    told.map(({ length }) => length),
    [2 * RECORD_BYTES + 7, 3 * RECORD_BYTES, RECORD_BYTES],
  );
  assert.equal(before, 2);
});

test('the end comes behind what is kept, and at once where nothing is', () => {
  const one = start();
  let ends = 0;
  one.take(3);
  one.records.end(() => {
    ends += 1;
  });
  assert.equal(ends, 0);
  one.records.flow();
  assert.deepEqual([ends, one.text().length], [1, 3]);
  const other = start();
  other.records.end(() => {
    ends += 1;
  });
  assert.equal(ends, 2);
});

test('what comes while it is paused counts as kept until it is told', () => {
  const { records, take, lease, heard } = start();
  take(RECORD_BYTES);
  take(7);
  assert.equal(heard.kept, RECORD_BYTES + 7);
  records.flow();
  assert.equal(heard.kept, 0);
  lease(Buffer.alloc(3 * RECORD_BYTES));
  take(RECORD_BYTES);
  assert.equal(heard.kept, 0);
  lease(undefined);
  assert.equal(heard.kept, RECORD_BYTES);
});

test('nothing is told after it was stopped, not even in a later turn', () => {
  const { records, lease, take, told, turn } = start();
  records.flow();
  lease(Buffer.alloc(4 * RECORD_BYTES));
  take(RECORD_BYTES);
  records.pause();
  take(RECORD_BYTES);
  records.end(() => assert.fail('the end'));
  records.stop();
  turn();
  records.flow();
  assert.deepEqual(told, []);
});

test('records are decrypted where they stay, and nowhere near a lease that is given back or still being written', () => {
  const { records, heard, lease, take, isShared } = start();
  records.flow();
  lease(Buffer.alloc(3 * RECORD_BYTES));
  take(RECORD_BYTES);
  assert.equal(isShared(), false);
  lease(undefined);
  assert.equal(isShared(), true);
  lease(Buffer.alloc(3 * RECORD_BYTES));
  heard.isPausing = true;
  for (let i = 0; i < 3; i++) take(RECORD_BYTES);
  assert.equal(isShared(), true);
});

const step = fc.oneof(
  fc.integer({ min: 1, max: RECORD_BYTES }).map((length) => ['take', length] as const),
  fc.constant(['take', RECORD_BYTES] as const),
  fc.constantFrom('flow', 'pause', 'turn', 'pausing', 'flowing').map((t) => [t, 0] as const),
  fc.integer({ min: 4, max: 9 }).map((records) => ['lease', records * RECORD_BYTES] as const),
  fc.constant(['unlease', 0] as const),
);

test('any order of records, pauses, leases and turns tells the same bytes, and ends once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { records, heard, text, taken, take, lease, turn } = start();
      for (const [t, number] of steps)
        if (t === 'take') take(number);
        else if (t === 'turn') turn();
        else if (t === 'lease') lease(Buffer.alloc(number));
        else if (t === 'unlease') lease(undefined);
        else if (t === 'flow') records.flow();
        else if (t === 'pause') records.pause();
        else heard.isPausing = t === 'pausing';
      heard.isPausing = false;
      let ends = 0;
      records.end(() => {
        ends += 1;
      });
      records.flow();
      turn();
      assert.ok(text().equals(pattern(1, 0, taken())));
      assert.equal(heard.kept, 0);
      assert.equal(ends, 1);
    }),
  );
});
