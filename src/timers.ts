/**
 * Many deadlines on one scheduler timer. Setting and dropping one costs a few heap moves, and nothing
 * ticks while nothing is due, so that every connection can afford its limits.
 */
import type { SchedulerLike, Subscription } from 'rxjs';
import { type Due, DueQueue } from './heap.ts';

/** Node fires longer timers at once, so longer waits are cut into pieces of this length, in ms. */
export const LONGEST_MS = 2 ** 31 - 1;

/** A deadline that was set. Dropping it twice, or after it fired, does nothing. */
export interface Timer {
  readonly drop: () => void;
}

/** A clock, and deadlines on it. */
export interface Timers {
  readonly now: () => number;
  /**
   * Runs `task` once, `ms` from now; `Infinity` and `NaN` mean never.
   * Order: never early, never synchronously; tasks run in the order they fall due.
   */
  readonly after: (ms: number, task: () => void) => Timer;
  /** How many deadlines are set. */
  readonly size: () => number;
}

interface Entry extends Due, Timer {
  readonly task: () => void;
}

const NEVER: Timer = { drop: () => undefined };

class SharedTimers implements Timers {
  readonly #queue = new DueQueue<Entry>();
  readonly #scheduler: SchedulerLike;
  #armed: Subscription | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  readonly now = (): number => this.#scheduler.now();

  readonly size = (): number => this.#queue.size;

  readonly after = (ms: number, task: () => void): Timer => {
    if (!(ms < Number.POSITIVE_INFINITY)) return NEVER;
    const entry: Entry = { due: 0, slot: -1, task, drop: () => this.#queue.remove(entry) };
    this.#queue.put(entry, this.now() + Math.max(0, ms));
    this.#arm();
    return entry;
  };

  /** Keeps the timer on the earliest deadline; one that is set too early finds nothing due and goes on. */
  #arm(): void {
    const first = this.#queue.peek();
    if (first === undefined || first.due >= this.#armedFor) return;
    this.#armed?.unsubscribe();
    this.#armedFor = first.due;
    const wait = Math.min(LONGEST_MS, Math.max(0, Math.ceil(first.due - this.now())));
    this.#armed = this.#scheduler.schedule(() => this.#fire(), wait);
  }

  #fire(): void {
    this.#armed = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.now();
    try {
      // No more than are set now: a task that sets the next one for at once must not hold the loop.
      for (let left = this.#queue.size; left > 0; left--) {
        const entry = this.#queue.take(now);
        if (entry === undefined) break;
        entry.task();
      }
    } finally {
      this.#arm();
    }
  }
}

/** Makes a set of timers on a scheduler; one set per app is enough. */
export const makeTimers = (scheduler: SchedulerLike): Timers => new SharedTimers(scheduler);
