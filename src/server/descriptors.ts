/** How many file descriptors the process may still spend on connections. Pure. */

/**
 * Counts the descriptors that connections hold, below a limit.
 * Bounds: `limit` is what the system allows less a reserve for the admin server, look-ups and logs.
 */
export class Descriptors {
  readonly limit: number;
  #held = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Whether `count` more fit. */
  has(count: number): boolean {
    return this.#held + count <= this.limit;
  }

  take(): void {
    this.#held += 1;
  }

  give(): void {
    this.#held -= 1;
  }
}
