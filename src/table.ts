/**
 * A map that keeps nothing of what was deleted. Pure.
 *
 * The platform's `Map` begins a new table each time that deletions have filled the old one. An old table that has
 * lived long is not collected for a long time, and meanwhile keeps the one after it, and so on: all that ever stood
 * in a map of few and short-lived things lives on until the next full collection. A connection is such a thing.
 */
import { Buckets, NOWHERE } from './buckets.ts';
import { hashOf } from './hash.ts';

/** Up to so many entries are looked through one by one, and have no index. */
const FEW = 8;

/** An empty table that had more room than this gives it back. */
const ROOMY = 1024;

/** Numbers are counted up by those who give them out, so each has a bucket of its own. */
const spread = (key: number | string): number => (typeof key === 'number' ? key : hashOf(key));

/**
 * As `Map`, by insertion order. What is added or deleted during an iteration is seen by it, as in a `Map`.
 * Bounds: room for twice what it holds, or has held since it was empty.
 */
export class Table<K extends number | string, V extends object | number> {
  /** By entry, in the order in which they came; those that were deleted have neither. */
  readonly #keys: (K | undefined)[] = [];
  readonly #values: (V | undefined)[] = [];
  /** Where the first entry is that was not deleted: a table may serve as a queue. */
  #first = 0;
  /** Entries, with those that were deleted. */
  #used = 0;
  #size = 0;
  #room = FEW;
  /** Of more than a few entries. */
  #index: Buckets | undefined;
  /** Iterations under way: meanwhile no entry changes its place. */
  #walks = 0;

  get size(): number {
    return this.#size;
  }

  /** What has been there longest. */
  get first(): V | undefined {
    return this.#values[this.#first];
  }

  get(key: K): V | undefined {
    const at = this.#find(key, spread(key));
    return at === NOWHERE ? undefined : this.#values[at];
  }

  set(key: K, value: V): void {
    const hash = spread(key);
    const known = this.#find(key, hash);
    if (known !== NOWHERE) {
      this.#values[known] = value;
      return;
    }
    if (this.#used === this.#room) this.#makeRoom();
    const at = this.#used++;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#size += 1;
    this.#index?.add(hash, at);
  }

  /** Gives whether it was there. */
  delete(key: K): boolean {
    return this.take(key) !== undefined;
  }

  /** Deletes, and gives what was there. */
  take(key: K): V | undefined {
    const hash = spread(key);
    const at = this.#find(key, hash);
    if (at === NOWHERE) return undefined;
    const value = this.#values[at];
    this.#index?.remove(hash, at);
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    while (this.#first < this.#used && this.#keys[this.#first] === undefined) this.#first += 1;
    if (this.#size === 0 && this.#walks === 0) this.#empty();
    return value;
  }

  clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }

  *keys(): IterableIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  *entries(): IterableIterator<[K, V]> {
    this.#walks += 1;
    try {
      for (let at = this.#first; at < this.#used; at++) {
        const key = this.#keys[at];
        const value = this.#values[at];
        if (key !== undefined && value !== undefined) yield [key, value];
      }
    } finally {
      this.#walks -= 1;
    }
  }

  #find(key: K, hash: number): number {
    const index = this.#index;
    let at = index === undefined ? this.#used - 1 : index.first(hash);
    while (at !== NOWHERE && this.#keys[at] !== key)
      at = index === undefined ? at - 1 : index.next(at);
    return at;
  }

  /** Room for as many again, and none lost to what was deleted. */
  #makeRoom(): void {
    if (this.#walks === 0) this.#close();
    let room = this.#room;
    while (room < 2 * this.#used) room *= 2;
    while (room > FEW && room >= 8 * this.#used) room /= 2;
    this.#reindex(room);
  }

  /** Moves entries to the places of those that were deleted. */
  #close(): void {
    let to = 0;
    for (let at = 0; at < this.#used; at++) {
      if (this.#keys[at] === undefined) continue;
      this.#keys[to] = this.#keys[at];
      this.#values[to] = this.#values[at];
      to += 1;
    }
    this.#keys.fill(undefined, to, this.#used);
    this.#values.fill(undefined, to, this.#used);
    this.#first = 0;
    this.#used = to;
  }

  #reindex(room: number): void {
    if (room === FEW) this.#index = undefined;
    else if (room === this.#index?.room) this.#index.clear();
    else this.#index = new Buckets(room);
    this.#room = room;
    if (this.#index === undefined) return;
    for (let at = 0; at < this.#used; at++) {
      const key = this.#keys[at];
      if (key !== undefined) this.#index.add(spread(key), at);
    }
  }

  /** Nothing is in the index any more either. */
  #empty(): void {
    this.#first = 0;
    this.#used = 0;
    if (this.#room <= ROOMY) return;
    this.#keys.length = 0;
    this.#values.length = 0;
    this.#reindex(FEW);
  }
}
