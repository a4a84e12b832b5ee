/**
 * A map of numbers that keeps nothing of what was deleted. Pure.
 *
 * The platform's `Map` begins a new table each time that deletions have filled the old one. An old table that has
 * lived long is not collected for a long time, and meanwhile keeps the one after it, and so on: all that ever stood
 * in a map of few and short-lived things lives on until the next full collection. A connection is such a thing.
 */

/** Up to so many entries are looked through one by one, and have no index. */
const FEW = 8;

/** An empty table that had more room than this gives it back. */
const ROOMY = 1024;

/** No entry. */
const NONE = -1;

const NO_LINKS = new Int32Array(0);

/**
 * As `Map<number, V>`, by insertion order. What is added or deleted during an iteration is seen by it, as in a `Map`.
 * Bounds: room for twice what it holds, or has held since it was empty.
 */
export class Table<V extends object> {
  /** By entry, in the order in which they came; those that were deleted have no value. */
  readonly #keys: number[] = [];
  readonly #values: (V | undefined)[] = [];
  /** Entries, with those that were deleted. */
  #used = 0;
  #size = 0;
  #room = FEW;
  /** The first entry of each bucket; empty: there is no index. */
  #heads = NO_LINKS;
  /** By entry: the next one of its bucket. */
  #nexts = NO_LINKS;
  /** Iterations under way: meanwhile no entry changes its place. */
  #walks = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): V | undefined {
    const at = this.#find(key);
    return at === NONE ? undefined : this.#values[at];
  }

  set(key: number, value: V): void {
    const known = this.#find(key);
    if (known !== NONE) {
      this.#values[known] = value;
      return;
    }
    if (this.#used === this.#room) this.#makeRoom();
    const at = this.#used++;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#size += 1;
    if (this.#heads.length > 0) this.#link(key, at);
  }

  /** Gives whether it was there. */
  delete(key: number): boolean {
    const at = this.#find(key);
    if (at === NONE) return false;
    if (this.#heads.length > 0) this.#unlink(key, at);
    this.#values[at] = undefined;
    this.#size -= 1;
    if (this.#size === 0 && this.#walks === 0) this.#empty();
    return true;
  }

  clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }

  *keys(): IterableIterator<number> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  *entries(): IterableIterator<[number, V]> {
    this.#walks += 1;
    try {
      for (let at = 0; at < this.#used; at++) {
        const value = this.#values[at];
        if (value !== undefined) yield [this.#keys[at] ?? NONE, value];
      }
    } finally {
      this.#walks -= 1;
    }
  }

  #find(key: number): number {
    if (this.#heads.length === 0) {
      for (let at = this.#used - 1; at >= 0; at--)
        if (this.#keys[at] === key && this.#values[at] !== undefined) return at;
      return NONE;
    }
    let at = this.#heads[key & (this.#heads.length - 1)] ?? NONE;
    while (at !== NONE && this.#keys[at] !== key) at = this.#nexts[at] ?? NONE;
    return at;
  }

  #link(key: number, at: number): void {
    const bucket = key & (this.#heads.length - 1);
    this.#nexts[at] = this.#heads[bucket] ?? NONE;
    this.#heads[bucket] = at;
  }

  #unlink(key: number, at: number): void {
    const bucket = key & (this.#heads.length - 1);
    const next = this.#nexts[at] ?? NONE;
    let before = this.#heads[bucket] ?? NONE;
    if (before === at) {
      this.#heads[bucket] = next;
      return;
    }
    while (this.#nexts[before] !== at) before = this.#nexts[before] ?? NONE;
    this.#nexts[before] = next;
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
      const value = this.#values[at];
      if (value === undefined) continue;
      this.#keys[to] = this.#keys[at] ?? NONE;
      this.#values[to] = value;
      to += 1;
    }
    this.#values.fill(undefined, to, this.#used);
    this.#used = to;
  }

  #reindex(room: number): void {
    const isFew = room === FEW;
    if (isFew) [this.#heads, this.#nexts] = [NO_LINKS, NO_LINKS];
    else if (room === this.#room) this.#heads.fill(NONE);
    else [this.#heads, this.#nexts] = [new Int32Array(room).fill(NONE), new Int32Array(room)];
    this.#room = room;
    if (isFew) return;
    for (let at = 0; at < this.#used; at++)
      if (this.#values[at] !== undefined) this.#link(this.#keys[at] ?? NONE, at);
  }

  #empty(): void {
    this.#used = 0;
    if (this.#heads.length > 0) this.#heads.fill(NONE);
    if (this.#room <= ROOMY) return;
    this.#keys.length = 0;
    this.#values.length = 0;
    this.#reindex(FEW);
  }
}
