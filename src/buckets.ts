/** Which places of a collection may have what is looked for: chains of places by hash. Pure. */

/** No place. */
export const NOWHERE = -1;

/** Places from 0 up to `room`, each in the chain of its hash. `room` is a power of two. */
export class Buckets {
  readonly room: number;
  /** The first place of each chain. */
  readonly #heads: Int32Array;
  /** By place: the next one of its chain. */
  readonly #nexts: Int32Array;

  constructor(room: number) {
    this.room = room;
    this.#heads = new Int32Array(room).fill(NOWHERE);
    this.#nexts = new Int32Array(room);
  }

  /** The place to look at first. */
  first(hash: number): number {
    return this.#heads[hash & (this.room - 1)] ?? NOWHERE;
  }

  /** The place to look at after another one. */
  next(place: number): number {
    return this.#nexts[place] ?? NOWHERE;
  }

  add(hash: number, place: number): void {
    this.#nexts[place] = this.first(hash);
    this.#heads[hash & (this.room - 1)] = place;
  }

  /** Takes out a place that is in. */
  remove(hash: number, place: number): void {
    let before = this.first(hash);
    if (before === place) {
      this.#heads[hash & (this.room - 1)] = this.next(place);
      return;
    }
    while (this.next(before) !== place) before = this.next(before);
    this.#nexts[before] = this.next(place);
  }

  clear(): void {
    this.#heads.fill(NOWHERE);
  }
}
