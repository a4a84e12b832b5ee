/** What a TLS connection brings, record by record, put together into pieces that are worth a write. */

/** Most bytes of one record, and so of one read. */
export const RECORD_BYTES = 16 * 1024;

/** Places for whole records in leased memory. */
const places = new WeakMap<Buffer, readonly Buffer[]>();

const placesOf = (lease: Buffer): readonly Buffer[] => {
  const length = Math.floor(lease.length / RECORD_BYTES);
  const known =
    places.get(lease) ??
    Array.from({ length }, (_, i) => lease.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES));
  places.set(lease, known);
  return known;
};

/** Takes a piece: its first bytes, so many; as `SocketOwner.data`. */
export type Tell = (memory: Buffer, length: number, isOurs: boolean) => void;

/** What a reader of records is made with. */
export interface RecordsSetup {
  readonly tell: Tell;
  /** So many bytes more are kept apart, or fewer. */
  readonly keep: (bytes: number) => void;
  /** Runs a task in the next turn of the event loop. */
  readonly soon: (task: () => void) => void;
  /** What the library decrypts into at first, and whenever there is no better place. */
  readonly shared: Buffer;
}

/**
 * Records come in bursts, as many as one read of the connection held, and the last one is seldom full. Into leased
 * memory they are put one behind the other and told as one piece: at a record that is not full, when the memory is,
 * or in the next turn of the event loop. Without it each is told as it comes.
 * The library is told where to decrypt the next one into, so that most need no copy. That is the lease only while its
 * owner reads: what was told from it may still be being written.
 * What comes while it is paused is kept: the library gives all that it has decrypted, whoever wants to wait.
 * Bounds: one read of the connection below, beside the leased memory.
 */
export class Records {
  readonly #setup: RecordsSetup;
  /** What the library decrypts into now. */
  #place: Buffer;
  #lease: Buffer | undefined;
  #places: readonly Buffer[] = [];
  /** How much of the leased memory is filled, and not told: whole records. */
  #filled = 0;
  /** Behind that. */
  readonly #kept: Buffer[] = [];
  #isFlowing = false;
  /** A record is being taken. */
  #isTaking = false;
  #isPutOff = false;
  #last: (() => void) | undefined;

  constructor(setup: RecordsSetup) {
    this.#setup = setup;
    this.#place = setup.shared;
  }

  /** One more has come, so long. Gives the memory that the next one is to go to, if that is another. */
  take(length: number): Buffer | undefined {
    const memory = this.#place;
    this.#isTaking = true;
    if (!this.#isFlowing || this.#kept.length > 0) this.#keep('push', memory, length);
    else if (this.#lease === undefined) this.#setup.tell(memory, length, false);
    else this.#gather(this.#lease, memory, length);
    this.#isTaking = false;
    return this.#move();
  }

  /**
   * Puts records together in this memory from now on; `undefined`: no more, and nobody touches it any longer once the
   * library has the memory that this gives, if it gives one.
   */
  lease(memory: Buffer | undefined): Buffer | undefined {
    if (this.#filled > 0 && this.#lease !== undefined)
      this.#keep('unshift', this.#lease, this.#filled);
    this.#filled = 0;
    this.#lease = memory;
    this.#places = memory === undefined ? [] : placesOf(memory);
    if (this.#kept.length > 0) this.#putOff();
    return this.#isTaking || this.#place === this.#setup.shared ? undefined : this.#move();
  }

  /** Calls back once, behind all that has come: when that has been told. */
  end(last: () => void): void {
    this.#last = last;
    if (this.#isFlowing || (this.#kept.length === 0 && this.#filled === 0)) this.#flow();
  }

  /** Tells nothing more. */
  stop(): void {
    this.#isFlowing = false;
    this.#kept.length = 0;
    this.#filled = 0;
    this.#last = undefined;
  }

  /** Tells what has been kept, and what comes. */
  flow(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#flow();
  }

  /** What comes is told, and not kept. */
  get isFlowing(): boolean {
    return this.#isFlowing;
  }

  pause(): void {
    this.#isFlowing = false;
  }

  #keep(where: 'push' | 'unshift', memory: Buffer, length: number): void {
    this.#kept[where](Buffer.from(memory.subarray(0, length)));
    this.#setup.keep(length);
  }

  /** The best place for the next record, if it is another than now. */
  #move(): Buffer | undefined {
    const isFree = this.#isFlowing && this.#kept.length === 0 && this.#lease !== undefined;
    const best = isFree ? this.#end() : undefined;
    const next = best ?? this.#setup.shared;
    if (next === this.#place) return undefined;
    this.#place = next;
    return next;
  }

  /** The place behind what is filled. */
  #end(): Buffer | undefined {
    return this.#places[this.#filled / RECORD_BYTES];
  }

  #gather(lease: Buffer, memory: Buffer, length: number): void {
    if (memory !== this.#end()) memory.copy(lease, this.#filled, 0, length);
    this.#filled += length;
    if (length < RECORD_BYTES || lease.length - this.#filled < RECORD_BYTES) this.#flush(lease);
    else this.#putOff();
  }

  #flush(lease: Buffer): void {
    const length = this.#filled;
    this.#filled = 0;
    this.#setup.tell(lease, length, true);
  }

  #putOff(): void {
    if (this.#isPutOff) return;
    this.#isPutOff = true;
    this.#setup.soon(this.#flowLater);
  }

  readonly #flowLater = (): void => {
    this.#isPutOff = false;
    if (this.#isFlowing) this.#flow();
  };

  /** Until it is paused, which any piece may lead to. */
  #flow(): void {
    while (this.#filled > 0 || this.#kept.length > 0) {
      if (!this.#isFlowing) return;
      const kept = this.#filled > 0 ? undefined : this.#kept.shift();
      if (kept !== undefined) {
        this.#setup.keep(-kept.length);
        this.#setup.tell(kept, kept.length, true);
      } else if (this.#lease !== undefined) this.#flush(this.#lease);
    }
    const last = this.#last;
    this.#last = undefined;
    last?.();
  }
}
