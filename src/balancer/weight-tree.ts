/** Draws in proportion to weight in O(log n), and changes a weight in O(log n). Pure. */

/**
 * A binary tree of sums over slots 0, 1, 2, …: each parent is the sum of its two children, recomputed
 * and never adjusted, so that rounding cannot drift. A slot that was never set weighs 0.
 */
export class WeightTree {
  /** Number of leaves, a power of two. Leaf `i` is node `#leaves + i`; the root is node 1. */
  #leaves = 1;
  #sums = new Float64Array(2);

  /** The sum of all weights. */
  get total(): number {
    return this.#sums[1] ?? 0;
  }

  weight(slot: number): number {
    return slot < this.#leaves ? (this.#sums[this.#leaves + slot] ?? 0) : 0;
  }

  set(slot: number, weight: number): void {
    if (slot >= this.#leaves) this.#grow(slot + 1);
    const sums = this.#sums;
    let node = this.#leaves + slot;
    if (sums[node] === weight) return;
    sums[node] = weight;
    for (node >>= 1; node > 0; node >>= 1) {
      sums[node] = (sums[2 * node] ?? 0) + (sums[2 * node + 1] ?? 0);
    }
  }

  /** The slot at `share` (0..1) of the total; its weight is above 0 as long as the total is. */
  draw(share: number): number {
    const sums = this.#sums;
    let rest = share * this.total;
    let node = 1;
    while (node < this.#leaves) {
      const left = sums[2 * node] ?? 0;
      const right = sums[2 * node + 1] ?? 0;
      if (rest < left || right === 0) {
        node = 2 * node;
      } else {
        rest -= left;
        node = 2 * node + 1;
      }
    }
    return node - this.#leaves;
  }

  #grow(wanted: number): void {
    const old = this.#sums.subarray(this.#leaves);
    while (this.#leaves < wanted) this.#leaves *= 2;
    const sums = new Float64Array(2 * this.#leaves);
    sums.set(old, this.#leaves);
    for (let node = this.#leaves - 1; node > 0; node--) {
      sums[node] = (sums[2 * node] ?? 0) + (sums[2 * node + 1] ?? 0);
    }
    this.#sums = sums;
  }
}
