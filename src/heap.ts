/** A priority queue of things that fall due, each removable in O(log n). Pure. */

/** Something due at a time. The queue writes `slot`; -1 means that it stands in no queue. */
export interface Due {
  due: number;
  slot: number;
}

/** Binary min-heap by `due`; equal times leave in no particular order. Nothing may stand in two queues. */
export class DueQueue<T extends Due> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** All items in the order in which they are kept: what `restore` takes. */
  items(): readonly T[] {
    return this.#items;
  }

  /** Fills an empty queue with what another’s `items` were, each with its `due`, so that equal times leave in the same order. */
  restore(items: readonly T[]): void {
    for (const item of items) {
      if (item.slot >= 0) continue;
      item.slot = this.#items.length;
      this.#items.push(item);
    }
  }

  /** The item that falls due first. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Puts an item in, or moves it if it is in already. O(log n). */
  put(item: T, due: number): void {
    item.due = due;
    if (item.slot < 0) {
      item.slot = this.#items.length;
      this.#items.push(item);
    }
    this.#up(item.slot);
    this.#down(item.slot);
  }

  /** Takes an item out; nothing happens if it is not in. O(log n). */
  remove(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#place(last, slot);
    this.#up(slot);
    this.#down(last.slot);
  }

  /** Takes out the first item if it is due at `now`. */
  take(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || first.due > now) return undefined;
    this.remove(first);
    return first;
  }

  #place(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }

  #up(from: number): void {
    const item = this.#items[from];
    if (item === undefined) return;
    let slot = from;
    while (slot > 0) {
      const parent = this.#items[(slot - 1) >> 1];
      if (parent === undefined || parent.due <= item.due) break;
      this.#place(parent, slot);
      slot = (slot - 1) >> 1;
    }
    this.#place(item, slot);
  }

  #down(from: number): void {
    const item = this.#items[from];
    if (item === undefined) return;
    let slot = from;
    for (;;) {
      const left = this.#items[2 * slot + 1];
      const right = this.#items[2 * slot + 2];
      const child =
        right !== undefined && left !== undefined && right.due < left.due ? right : left;
      if (child === undefined || child.due >= item.due) break;
      const next = child.slot;
      this.#place(child, slot);
      slot = next;
    }
    this.#place(item, slot);
  }
}
