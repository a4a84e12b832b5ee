/** What a TLS connection brings, record by record, put together into pieces that are worth a write. */

/** Most bytes of one record, and so of one read. */
export const RECORD_BYTES = 16 * 1024;

/** Takes a piece: its first bytes, so many; as `SocketOwner.data`. */
export type Tell = (memory: Buffer, length: number, isOurs: boolean) => void;

/**
 * Records come in bursts, as many as one read of the connection held, and the last one is seldom full. Into leased
 * memory they are put one behind the other and told as one piece: at a record that is not full, when the memory is,
 * or in the next turn of the event loop. Without it each is told as it comes.
 * What comes while it is paused is kept: the library gives all that it has decrypted, whoever wants to wait.
 * Bounds: one read of the connection below, beside the leased memory.
 */
export class Records {
  readonly #tell: Tell;
  readonly #soon: (task: () => void) => void;
  #lease: Buffer | undefined;
  /** How much of the leased memory is filled, and not told. */
  #filled = 0;
  /** Behind that. */
  readonly #kept: Buffer[] = [];
  #isFlowing = false;
  #isPutOff = false;
  #last: (() => void) | undefined;

  /** `soon` runs a task in the next turn of the event loop. */
  constructor(tell: Tell, soon: (task: () => void) => void) {
    this.#tell = tell;
    this.#soon = soon;
  }

  /** One more, in memory that is lent. */
  take(memory: Buffer, length: number): void {
    if (!this.#isFlowing || this.#kept.length > 0)
      this.#kept.push(Buffer.from(memory.subarray(0, length)));
    else if (this.#lease === undefined) this.#tell(memory, length, false);
    else this.#gather(this.#lease, memory, length);
  }

  /** Puts records together in this memory from now on; `undefined`: no more. */
  lease(memory: Buffer | undefined): void {
    if (this.#filled > 0 && this.#lease !== undefined)
      this.#kept.unshift(Buffer.from(this.#lease.subarray(0, this.#filled)));
    this.#filled = 0;
    this.#lease = memory;
    if (this.#kept.length > 0) this.#putOff();
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

  pause(): void {
    this.#isFlowing = false;
  }

  #gather(lease: Buffer, memory: Buffer, length: number): void {
    memory.copy(lease, this.#filled, 0, length);
    this.#filled += length;
    if (length < RECORD_BYTES || lease.length - this.#filled < RECORD_BYTES) this.#flush(lease);
    else this.#putOff();
  }

  #flush(lease: Buffer): void {
    const length = this.#filled;
    this.#filled = 0;
    this.#tell(lease, length, true);
  }

  #putOff(): void {
    if (this.#isPutOff) return;
    this.#isPutOff = true;
    this.#soon(this.#flowLater);
  }

  readonly #flowLater = (): void => {
    this.#isPutOff = false;
    if (this.#isFlowing) this.#flow();
  };

  /** Until it is paused, which any piece may lead to. */
  #flow(): void {
    for (;;) {
      if (this.#filled === 0 && this.#kept.length === 0) break;
      if (!this.#isFlowing) return;
      const kept = this.#filled > 0 ? undefined : this.#kept.shift();
      if (this.#filled > 0 && this.#lease !== undefined) this.#flush(this.#lease);
      else if (kept !== undefined) this.#tell(kept, kept.length, true);
    }
    const last = this.#last;
    this.#last = undefined;
    last?.();
  }
}
