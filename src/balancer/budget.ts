/** How many retries a name may spend, so that retries cannot multiply an outage. Pure. */

/** How much a budget allows. */
export interface BudgetLimits {
  /** Retries per second that are always allowed. */
  readonly minRetriesPerSec: number;
  /** Further retries, as a share (0..1) of the connections of the window. */
  readonly percentCanRetry: number;
  /** Length of the window, in seconds. */
  readonly ttlSecs: number;
}

/** What a budget knows, as plain data. */
export interface FrozenBudget {
  /** By slot. */
  readonly balance: readonly number[];
  readonly sum: number;
  /** The last second that was counted; `-Infinity`: none yet. */
  readonly second: number;
}

/**
 * Counts connections and retries in a sliding window of one-second slots.
 * Bounds: `ttlSecs` slots. Source: linkerd 1.x `requeueBudget`.
 */
export class RetryBudget {
  readonly limits: BudgetLimits;
  readonly #balance: Float64Array;
  #sum = 0;
  #second = Number.NEGATIVE_INFINITY;

  constructor(limits: BudgetLimits) {
    this.limits = limits;
    this.#balance = new Float64Array(Math.max(1, Math.ceil(limits.ttlSecs)));
  }

  /** The budget under other limits: this one if they are equal, else one that begins anew. */
  with(limits: BudgetLimits): RetryBudget {
    const { minRetriesPerSec, percentCanRetry, ttlSecs } = this.limits;
    const equal =
      limits.minRetriesPerSec === minRetriesPerSec &&
      limits.percentCanRetry === percentCanRetry &&
      limits.ttlSecs === ttlSecs;
    return equal ? this : new RetryBudget(limits);
  }

  /** All that it knows, beside its limits. */
  freeze(): FrozenBudget {
    return { balance: [...this.#balance], sum: this.#sum, second: this.#second };
  }

  /** A budget that knows what another one knew. */
  static thaw(limits: BudgetLimits, { balance, sum, second }: FrozenBudget): RetryBudget {
    const budget = new RetryBudget(limits);
    budget.#balance.set(balance.slice(0, budget.#balance.length));
    budget.#sum = sum;
    budget.#second = second;
    return budget;
  }

  /** A connection came: it pays in its share. */
  deposit(atMs: number): void {
    this.#add(atMs, this.limits.percentCanRetry);
  }

  /** Spends one retry if there is one left, or in any case when `free`. */
  withdraw(atMs: number, free: boolean): boolean {
    this.#turn(atMs);
    const reserve = this.limits.minRetriesPerSec * this.#balance.length;
    if (!free && this.#sum + reserve < 1) return false;
    this.#add(atMs, -1);
    return true;
  }

  #add(atMs: number, amount: number): void {
    this.#turn(atMs);
    const slot = this.#second % this.#balance.length;
    this.#balance[slot] = (this.#balance[slot] ?? 0) + amount;
    this.#sum += amount;
  }

  /** Clears the slots of the seconds that have left the window. */
  #turn(atMs: number): void {
    const second = Math.floor(atMs / 1000);
    const size = this.#balance.length;
    if (second - this.#second >= size) {
      this.#balance.fill(0);
      this.#sum = 0;
      this.#second = second;
    }
    while (this.#second < second) {
      this.#second += 1;
      const slot = this.#second % size;
      this.#sum -= this.#balance[slot] ?? 0;
      this.#balance[slot] = 0;
    }
  }
}
