/** Keys that were used last: a memory of bounded size that forgets who has been quiet longest. Pure. */
import { Buckets, NOWHERE } from '../buckets.ts';
import { hashOf } from '../hash.ts';

/** No slot: in the order of use it stands between the newest and the oldest. */
const ENDS = 0;

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
  readonly #older = [ENDS];
  readonly #newer = [ENDS];
  #index = new Buckets(FEW);

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
    let slot = this.#index.first(hash);
    while (slot !== NOWHERE && this.#keys[slot] !== key) slot = this.#index.next(slot);
    if (slot === NOWHERE) return this.#begin(key, hash);
    this.#leaveOrder(slot);
    this.#enterOrder(slot);
    return slot;
  }

  #begin(key: string, hash: number): number {
    const slot = this.size < this.#most ? this.size + 1 : this.#forget();
    if (slot === this.#index.room) this.#widen();
    this.#keys[slot] = key;
    this.#hashes[slot] = hash;
    this.#index.add(hash, slot);
    this.#enterOrder(slot);
    this.#began(slot);
    return slot;
  }

  /** The slot of the oldest, which is nobody’s now. */
  #forget(): number {
    const oldest = this.#newer[ENDS] ?? ENDS;
    this.#index.remove(this.#hashes[oldest] ?? 0, oldest);
    this.#leaveOrder(oldest);
    return oldest;
  }

  #widen(): void {
    this.#index = new Buckets(2 * this.#index.room);
    for (let slot = 1; slot <= this.size; slot++) this.#index.add(this.#hashes[slot] ?? 0, slot);
  }

  #leaveOrder(slot: number): void {
    const older = this.#older[slot] ?? ENDS;
    const newer = this.#newer[slot] ?? ENDS;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }

  #enterOrder(slot: number): void {
    const newest = this.#older[ENDS] ?? ENDS;
    this.#newer[newest] = slot;
    this.#older[slot] = newest;
    this.#newer[slot] = ENDS;
    this.#older[ENDS] = slot;
  }
}
