/** Tables against the platform’s maps, and what neither they nor bags keep. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Bag, type Bagged } from '../src/bag.ts';
import { keepYoung } from '../src/collector.ts';
import { Table } from '../src/table.ts';

interface Value {
  readonly number: number;
}

interface Deed {
  readonly t: 'set' | 'delete' | 'clear' | 'empty';
  readonly key: number;
}

/** Keys of one bucket, negative ones, and such as no small integer holds. */
const key = fc.oneof(
  fc.nat(40),
  fc.nat(40).map((n) => n * 64),
  fc.constantFrom(-1, 2 ** 31, 2 ** 40 + 1, 2 ** 53 - 1),
);

const deed = fc.record({
  t: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom<Deed['t']>('set', 'delete') },
    { weight: 1, arbitrary: fc.constantFrom<Deed['t']>('clear', 'empty') },
  ),
  key,
});

type Key = number | string;

/** The same deeds are done by numbers and by texts. */
const KEYS: readonly ((key: number) => Key)[] = [(at) => at, String];

type MapLike = Map<Key, Value> | Table<Key, Value>;

const doTo = (map: MapLike, { t }: Deed, at: Key, number: number): unknown => {
  if (t === 'set') return void map.set(at, { number });
  if (t === 'delete' && number % 2 === 0 && map instanceof Table) return map.take(at) !== undefined;
  if (t === 'delete') return map.delete(at);
  if (t === 'clear') return map.clear();
  for (const known of [...map.keys()]) map.delete(known);
  return undefined;
};

test('a table is as a map, whatever is done to it', () => {
  const some = fc.array(deed, { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(fc.constantFrom(...KEYS), some, (keyOf, deeds) => {
      const table = new Table<Key, Value>();
      const model = new Map<Key, Value>();
      for (const [number, one] of deeds.entries()) {
        const at = keyOf(one.key);
        assert.equal(doTo(table, one, at, number), doTo(model, one, at, number));
        assert.equal(table.size, model.size);
        assert.deepEqual(table.get(at), model.get(at));
        assert.deepEqual(table.first, [...model.values()][0]);
      }
      assert.deepEqual([...table.entries()], [...model.entries()]);
      assert.deepEqual([...table.values()], [...model.values()]);
    }),
    { numRuns: 500 },
  );
});

/** What an iteration sees while something is done at each of its steps. */
const walk = (
  map: MapLike,
  deeds: readonly Deed[],
  keyOf: (key: number) => Key,
): readonly unknown[] => {
  const seen: unknown[] = [];
  let step = 0;
  for (const [at, value] of map.entries()) {
    seen.push(at, value);
    const next = deeds[step++];
    if (next === undefined) break;
    doTo(map, next, keyOf(next.key), step);
  }
  return seen;
};

test('an iteration sees what a map’s would, however much comes and goes meanwhile', () => {
  const some = fc.array(deed, { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(fc.constantFrom(...KEYS), some, some, some, (keyOf, before, during, after) => {
      const maps = [new Table<Key, Value>(), new Map<Key, Value>()] as const;
      const all = (deeds: readonly Deed[]): void => {
        for (const [number, one] of deeds.entries())
          for (const map of maps) doTo(map, one, keyOf(one.key), number);
      };
      all(before);
      const [table, model] = maps;
      assert.deepEqual(walk(table, during, keyOf), walk(model, during, keyOf));
      all(after);
      assert.deepEqual([...table.entries()], [...model.entries()]);
    }),
    { numRuns: 500 },
  );
});

test('many entries are found, and an empty table begins anew', () => {
  const table = new Table<number, Value>();
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 5_000; number++) table.set(number * 3, { number });
    assert.equal(table.get(2_997)?.number, 999);
    for (let number = 4_999; number >= 0; number--) assert.ok(table.delete(number * 3));
    assert.equal(table.size, 0);
  }
});

interface Thing extends Bagged {
  readonly name: number;
}

test('a bag holds what was put in and not taken out', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.boolean()), { maxLength: 100 }), (deeds) => {
      const bag = new Bag<Thing>();
      const model = new Set<Thing>();
      const things = Array.from({ length: 10 }, (_, name): Thing => ({ name, slot: -1 }));
      for (const [nth, isComing] of deeds) {
        const thing = things[nth] ?? assert.fail();
        if (!isComing) assert.equal(bag.delete(thing), model.delete(thing));
        else if (!model.has(thing)) {
          bag.add(thing);
          model.add(thing);
        }
        assert.equal(bag.size, model.size);
        assert.deepEqual(new Set(bag.items()), model);
      }
      assert.deepEqual(new Set(bag.empty()), model);
      for (const thing of things) assert.equal(bag.delete(thing), false);
    }),
  );
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

/** Heap that is in use, in bytes, after collections of the young alone. */
const usedAfterYoung = (): number => {
  for (let time = 0; time < 3; time++) collect({ type: 'minor' });
  return getHeapStatistics().used_heap_size;
};

const THINGS = 20_000;

/** Of a thing, in bytes; much more than what the program itself adds to the heap meanwhile, by each thing. */
const WEIGHT = 1600;

/** What lives on, in bytes for each, of things that come and go a few at a time, before any full collection. */
const keptOf = (come: (thing: Thing, number: number) => void): number => {
  const make = (name: number): Thing & { readonly weight: unknown } => ({
    name,
    slot: -1,
    weight: new Array(WEIGHT / 8).fill(name),
  });
  for (let number = 0; number < 10; number++) come(make(number), number);
  const before = usedAfterYoung();
  for (let number = 10; number < THINGS; number++) {
    come(make(number), number);
    if (number % 500 === 0) usedAfterYoung();
  }
  return (usedAfterYoung() - before) / THINGS;
};

test('nothing that has left a table or a bag lives on', () => {
  const table = new Table<number, Thing>();
  const bag = new Bag<Thing>();
  let last: Thing | undefined;
  keepYoung();
  const kept = {
    table: keptOf((thing, number) => {
      table.set(number, thing);
      table.delete(number - 3);
    }),
    bag: keptOf((thing) => {
      bag.add(thing);
      if (last !== undefined) bag.delete(last);
      last = thing;
    }),
  };
  for (const [what, bytes] of Object.entries(kept))
    assert.ok(bytes < WEIGHT / 10, `${what}: ${bytes.toFixed(0)} bytes of each thing`);
});
