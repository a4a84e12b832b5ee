/** How much all streams of a process may hold together, and the memory that busy ones lease. */
import { Bag, type Bagged } from '../bag.ts';
import type { Timer, Timers } from '../timers.ts';

/** A lease whose holder moved nothing for so long is taken back, in ms. */
const QUIET_MS = 1000;

/** The share of the budget that leases may take: streams that are busy must not keep others out. */
const LEASE_SHARE = 1 / 2;

/** From this share of the budget on reads are short, so that many more directions have room before it is full. */
const PRESSED_SHARE = 3 / 4;

/**
 * All that is leased should stay near what a CPU’s cache holds, in bytes: the first to lease get large pieces, which save system
 * calls and turns of the loop; among many, large ones only push each other out of the cache.
 */
const NEAR_BYTES = 8 * 1024 * 1024;

/** No piece is smaller for the sake of that, in bytes. */
const LEAST_BYTES = 256 * 1024;

/** Memory that nobody leases and that is kept for the next, in pieces. */
const SPARE_PIECES = 4;

/** Has leased memory. */
export interface Leaseholder extends Bagged {
  /** When it last moved a byte, on the timers’ clock. */
  readonly movedAt: number;
  /** Gives the memory back, unless something is still written from it. */
  readonly giveLease: () => void;
}

/**
 * The account that every direction of every stream keeps: bytes that were read and not yet written, and leases.
 * Bounds: nobody new is let in from `max` on. `held` goes beyond it only by what directions hold that are here: a
 * short read each, or one read where the platform shows no handles.
 * Ends: there is no timer while there is no lease that could be given back.
 */
export class BufferBudget {
  /** In bytes. A reload may change it. */
  max: number;
  /** Bytes held now. Each direction adds what it takes and gives all of it back. */
  held = 0;
  #leased = 0;
  readonly #timers: Timers;
  /** Those whose memory may be given back when they fall quiet. */
  readonly #watched = new Bag<Leaseholder>();
  #leases = 0;
  readonly #spare: Buffer[] = [];
  #timer: Timer | undefined;

  constructor(max: number, timers: Timers) {
    this.max = max;
    this.#timers = timers;
  }

  /** Directions are kept short. */
  get pressed(): boolean {
    return this.held >= this.max * PRESSED_SHARE;
  }

  get isFull(): boolean {
    return this.held >= this.max;
  }

  /** Memory of its own for one direction, so many bytes at most; `undefined`: there is none to be had. */
  lease(most: number, holder: Leaseholder): Buffer | undefined {
    const bytes = this.#sizeOf(most);
    if (this.#leased + bytes > this.max * LEASE_SHARE || this.pressed) return undefined;
    this.#leased += bytes;
    this.held += bytes;
    this.#leases += 1;
    this.watch(holder);
    return this.#take(bytes);
  }

  /** Nothing is written any more from what it has leased: it gives it back when it is quiet. */
  watch(holder: Leaseholder): void {
    if (holder.slot < 0) this.#watched.add(holder);
    this.#timer ??= this.#timers.after(QUIET_MS, this.#sweep);
  }

  /** Takes memory back that nobody reads into or writes from any more. */
  giveBack(memory: Buffer, holder: Leaseholder): void {
    this.#leased -= memory.length;
    this.held -= memory.length;
    this.#leases -= 1;
    this.#watched.delete(holder);
    this.#spare.push(memory);
    // The oldest goes, since pieces of a length that nobody leases any more would stay for good.
    if (this.#spare.length > SPARE_PIECES) this.#spare.shift();
    if (this.#watched.size > 0) return;
    this.#timer?.drop();
    this.#timer = undefined;
  }

  #sizeOf(most: number): number {
    const fair = NEAR_BYTES / (this.#leases + 1);
    let bytes = most;
    while (bytes > fair && bytes > LEAST_BYTES) bytes = Math.max(bytes / 2, LEAST_BYTES);
    return Math.floor(bytes);
  }

  #take(bytes: number): Buffer {
    const at = this.#spare.findLastIndex(({ length }) => length === bytes);
    const [spare = Buffer.allocUnsafeSlow(bytes)] = at < 0 ? [] : this.#spare.splice(at, 1);
    return spare;
  }

  readonly #sweep = (): void => {
    const quietSince = this.#timers.now() - QUIET_MS;
    for (const holder of [...this.#watched.items()]) {
      if (holder.movedAt > quietSince) continue;
      holder.giveLease();
      // One that is stuck may be so for days; it is watched again once that is written.
      this.#watched.delete(holder);
    }
    this.#timer = undefined;
    if (this.#watched.size > 0) this.#timer = this.#timers.after(QUIET_MS, this.#sweep);
  };
}
