/** Keys that were used last: a memory of bounded size that forgets who has been quiet longest. Pure. */
import { hashOf } from '../hash.ts';

/** No slot; in the order of use it stands between the newest and the oldest. */
const NONE = 0;

const FEW = 64;

/**
 * Gives each key a slot, a small number from 1, under which its owner keeps what it knows of it. When there are too
 * many, the key that has been quiet longest loses its slot to the new one.
 * Bounds: `most` keys, one at least. Time: O(1), and nothing is made for a key that takes another one’s place.
 */
export class RecentKeys {
  readonly #most: number;
  readonly #began: (slot: number) => void;
  /** By slot. */
  readonly #keys = [''];
  readonly #hashes = [0];
  /** By slot: the next one of its bucket. */
  readonly #nexts = [NONE];
  readonly #older = [NONE];
  readonly #newer = [NONE];
  /** The first slot of each bucket; always more than there are keys. */
  #heads = new Int32Array(FEW);

  /** `began` is told of a slot that another key had, or none. */
  constructor(most: number, began: (slot: number) => void) {
    this.#most = most;
    this.#began = began;
  }

  get size(): number {
    return this.#keys.length - 1;
  }

  /** The slot of a key, which is the newest now. */
  slotOf(key: string): number {
    const hash = hashOf(key);
    let slot = this.#heads[this.#bucketOf(hash)] ?? NONE;
    while (slot !== NONE && this.#keys[slot] !== key) slot = this.#nexts[slot] ?? NONE;
    if (slot === NONE) return this.#begin(key, hash);
    this.#leaveOrder(slot);
    this.#enterOrder(slot);
    return slot;
  }

  #begin(key: string, hash: number): number {
    const slot = this.size < this.#most ? this.size + 1 : this.#forget();
    this.#keys[slot] = key;
    this.#hashes[slot] = hash;
    this.#enterBucket(slot);
    this.#enterOrder(slot);
    if (this.size >= this.#heads.length) this.#widen();
    this.#began(slot);
    return slot;
  }

  /** The slot of the oldest, which is nobody’s now. */
  #forget(): number {
    const oldest = this.#newer[NONE] ?? NONE;
    this.#leaveBucket(oldest);
    this.#leaveOrder(oldest);
    return oldest;
  }

  #bucketOf(hash: number): number {
    return hash & (this.#heads.length - 1);
  }

  #enterBucket(slot: number): void {
    const bucket = this.#bucketOf(this.#hashes[slot] ?? 0);
    this.#nexts[slot] = this.#heads[bucket] ?? NONE;
    this.#heads[bucket] = slot;
  }

  #leaveBucket(slot: number): void {
    const bucket = this.#bucketOf(this.#hashes[slot] ?? 0);
    const next = this.#nexts[slot] ?? NONE;
    let before = this.#heads[bucket] ?? NONE;
    if (before === slot) {
      this.#heads[bucket] = next;
      return;
    }
    while (this.#nexts[before] !== slot) before = this.#nexts[before] ?? NONE;
    this.#nexts[before] = next;
  }

  #widen(): void {
    this.#heads = new Int32Array(2 * this.#heads.length);
    for (let slot = 1; slot <= this.size; slot++) this.#enterBucket(slot);
  }

  #leaveOrder(slot: number): void {
    const older = this.#older[slot] ?? NONE;
    const newer = this.#newer[slot] ?? NONE;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }

  #enterOrder(slot: number): void {
    const newest = this.#older[NONE] ?? NONE;
    this.#newer[newest] = slot;
    this.#older[slot] = newest;
    this.#newer[slot] = NONE;
    this.#older[NONE] = slot;
  }
}
