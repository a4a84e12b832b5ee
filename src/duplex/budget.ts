/** How much all streams of a process may hold together: bytes that were read and not yet written. */

/** The most that one direction may hold before it pauses while the budget is pressed, in bytes. */
export const PRESSED_BYTES = 16 * 1024;

/**
 * The account that every direction of every stream keeps.
 * Bounds: held goes beyond `max` only by what pressed directions hold, `PRESSED_BYTES` and one read each.
 */
export interface BufferBudget {
  /** From here on directions are kept short, in bytes. A reload may change it. */
  max: number;
  /** Bytes held now. Each direction adds what it takes and gives all of it back. */
  held: number;
  readonly pressed: boolean;
}

/** Makes a budget of `max` bytes; one per process. */
export const makeBudget = (max: number): BufferBudget => ({
  max,
  held: 0,
  get pressed() {
    return this.held >= this.max;
  },
});
