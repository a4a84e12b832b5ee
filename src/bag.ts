/** A set of things that know where in it they are; as `Table`, it keeps nothing of what has left. Pure. */

/** Something that a bag can hold. The bag writes `slot`; -1 means that it is in none. */
export interface Bagged {
  slot: number;
}

/** Holds things in no order. Nothing may be in two bags. */
export class Bag<T extends Bagged> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Puts something in that is in no bag. */
  add(item: T): void {
    item.slot = this.#items.length;
    this.#items.push(item);
  }

  /** Takes something out; gives whether it was in. O(1). */
  delete(item: T): boolean {
    const { slot } = item;
    if (slot < 0) return false;
    item.slot = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[slot] = last;
      last.slot = slot;
    }
    return true;
  }

  /** Takes everything out, and gives it. */
  empty(): readonly T[] {
    const items = this.#items.splice(0);
    for (const item of items) item.slot = -1;
    return items;
  }

  items(): readonly T[] {
    return this.#items;
  }
}
