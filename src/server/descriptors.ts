/** How many file descriptors the process may still spend on connections. Pure. */

/** A client’s own, and its endpoint’s. */
const PER_CLIENT = 2;

const nothing = (): void => undefined;

/**
 * Counts the descriptors that connections hold, below a limit.
 * Bounds: `limit` is what the system allows less a reserve for the admin server, look-ups and logs. Clients
 * get no more than half of it, so that many who wait at once do not take what their endpoints will need.
 */
export class Descriptors {
  readonly limit: number;
  #held = 0;
  #clients = 0;
  #mark = Number.POSITIVE_INFINITY;
  #reached: () => void = nothing;

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

  /** Whether one more client fits, and the endpoint that it will need. */
  hasForClient(): boolean {
    return this.has(PER_CLIENT) && (this.#clients + 1) * PER_CLIENT <= this.limit;
  }

  /** Calls once, when so many are held; in place of what it was to call before. */
  tell(mark: number, reached: () => void): void {
    this.#mark = mark;
    this.#reached = reached;
  }

  readonly take = (): void => {
    this.#held += 1;
    if (this.#held < this.#mark) return;
    this.#mark = Number.POSITIVE_INFINITY;
    this.#reached();
  };

  readonly give = (): void => {
    this.#held -= 1;
  };

  /** As `take`, for the socket of a client. */
  readonly takeForClient = (): void => {
    this.#clients += 1;
    this.take();
  };

  /** As `give`, for the socket of a client. */
  readonly giveForClient = (): void => {
    this.#clients -= 1;
    this.give();
  };
}
