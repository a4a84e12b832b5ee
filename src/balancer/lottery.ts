/** Draws in proportion to weight at a cost that does not grow with the number of tickets. Pure. */
import { type Dice, roll } from './random.ts';

/** Tickets whose weights differ by less than a factor of two, so that one drawn blindly is mostly kept. */
interface Drum {
  readonly exponent: number;
  readonly slots: number[];
  /** Sum of their weights. */
  sum: number;
  /** No weight in it is above. */
  cap: number;
}

/** One drum as plain data. */
export interface FrozenDrum {
  readonly exponent: number;
  readonly sum: number;
  readonly cap: number;
  readonly slots: readonly number[];
  /** By place; one number: all weigh the same. */
  readonly weights: readonly number[] | number;
}

/**
 * Weights by slot 0, 1, 2, …; a slot that was never set weighs 0. Setting and drawing are O(1), but for the
 * number of drums: one for each power of two among the weights.
 */
export class Lottery {
  readonly #weights: number[] = [];
  /** Where each slot stands in its drum. */
  readonly #places: number[] = [];
  readonly #homes: (Drum | undefined)[] = [];
  readonly #drums: Drum[] = [];
  #total = 0;

  /** The sum of all weights; 0 only if each is. */
  get total(): number {
    return this.#total;
  }

  /** All that it knows: drums and what is in them, in the order on which draws depend. */
  freeze(): readonly FrozenDrum[] {
    return this.#drums.map(({ exponent, sum, cap, slots }) => {
      const weights = slots.map((slot) => this.weight(slot));
      const [first = 0] = weights;
      const areEqual = weights.every((weight) => weight === first);
      return { exponent, sum, cap, slots: [...slots], weights: areEqual ? first : weights };
    });
  }

  /** Fills an empty lottery of so many slots with what another one knew. Errors: throws where no lottery can have known that. */
  restore(drums: readonly FrozenDrum[], mostSlots: number): void {
    for (const { exponent, sum, cap, slots, weights } of drums) {
      const drum: Drum = { exponent, slots: [...slots], sum, cap };
      this.#drums.push(drum);
      for (const [place, slot] of slots.entries()) {
        const weight = typeof weights === 'number' ? weights : (weights[place] ?? 0);
        // A draw from other drums than these would never end.
        if (
          !(
            Math.floor(Math.log2(weight)) === exponent &&
            weight <= cap &&
            cap < 2 ** (exponent + 1)
          )
        )
          throw new Error(`expected weights of one power of two, got ${weight} among ${cap}`);
        if (!Number.isInteger(slot) || slot < 0 || slot >= mostSlots || this.#homes[slot])
          throw new Error(`expected a slot below ${mostSlots} once, got ${slot}`);
        this.#grow(slot);
        this.#weights[slot] = weight;
        this.#places[slot] = place;
        this.#homes[slot] = drum;
      }
    }
    this.#count();
  }

  weight(slot: number): number {
    return this.#weights[slot] ?? 0;
  }

  set(slot: number, weight: number): void {
    this.#grow(slot);
    if (this.#weights[slot] === weight) return;
    this.#takeOut(slot);
    this.#weights[slot] = weight;
    if (weight > 0) this.#putIn(slot, weight);
    this.#count();
  }

  /**
   * The slot at `share` (0..1) of the total, without the slot `except`; `undefined` if all others weigh 0.
   * Dice are rolled only where weights of one drum differ.
   */
  draw(share: number, dice: Dice, except?: number): number | undefined {
    const home = except === undefined ? undefined : this.#homes[except];
    const held = except === undefined ? 0 : this.weight(except);
    let rest = share * (this.#total - held);
    let chosen: Drum | undefined;
    let chosenSum = 0;
    for (const drum of this.#drums) {
      const isHome = drum === home;
      if (isHome && drum.slots.length === 1) continue;
      chosen = drum;
      chosenSum = isHome ? drum.sum - held : drum.sum;
      if (rest < chosenSum) break;
      rest -= chosenSum;
    }
    if (chosen === undefined) return undefined;
    const hole = except === undefined || chosen !== home ? -1 : (this.#places[except] ?? -1);
    return this.#drawFrom(chosen, Math.min(rest / chosenSum, BELOW_ONE), { dice, hole });
  }

  /** Draws blindly, all but the place `hole`, and keeps what is drawn by its weight. */
  #drawFrom(
    { slots, cap }: Drum,
    share: number,
    { dice, hole }: { readonly dice: Dice; readonly hole: number },
  ): number | undefined {
    const count = hole < 0 ? slots.length : slots.length - 1;
    for (let spot = share * count; ; spot = roll(dice) * count) {
      const place = Math.floor(spot);
      const slot = slots[hole < 0 || place < hole ? place : place + 1];
      if (slot === undefined || (spot - place) * cap < this.weight(slot)) return slot;
    }
  }

  #grow(slot: number): void {
    while (this.#weights.length <= slot) {
      this.#weights.push(0);
      this.#places.push(0);
      this.#homes.push(undefined);
    }
  }

  #count(): void {
    this.#total = this.#drums.reduce((sum, drum) => sum + drum.sum, 0);
  }

  #putIn(slot: number, weight: number): void {
    const exponent = Math.floor(Math.log2(weight));
    let drum = this.#drums.find((other) => other.exponent === exponent);
    if (drum === undefined) {
      drum = { exponent, slots: [], sum: 0, cap: 0 };
      this.#drums.push(drum);
    }
    this.#places[slot] = drum.slots.length;
    this.#homes[slot] = drum;
    drum.slots.push(slot);
    drum.sum += weight;
    drum.cap = Math.max(drum.cap, weight);
  }

  #takeOut(slot: number): void {
    const drum = this.#homes[slot];
    if (drum === undefined) return;
    this.#homes[slot] = undefined;
    drum.sum -= this.weight(slot);
    const last = drum.slots.pop();
    if (last !== undefined && last !== slot) {
      const place = this.#places[slot] ?? 0;
      drum.slots[place] = last;
      this.#places[last] = place;
    }
    // An empty drum goes, and what rounding has left in its sum with it.
    if (drum.slots.length === 0) this.#drums.splice(this.#drums.indexOf(drum), 1);
  }
}

/** The largest number below 1. */
const BELOW_ONE = 1 - Number.EPSILON / 2;
