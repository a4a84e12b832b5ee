/** Waiting that may be longer than a timer can be, and delays that grow. */
import { type Observable, type SchedulerLike, switchMap, timer } from 'rxjs';
import { LONGEST_MS } from '../timers.ts';

/** Emits once, `ms` from now, and completes. `ms` is finite. */
export const wait = (ms: number, scheduler: SchedulerLike): Observable<unknown> =>
  ms <= LONGEST_MS
    ? timer(ms, scheduler)
    : timer(LONGEST_MS, scheduler).pipe(switchMap(() => wait(ms - LONGEST_MS, scheduler)));

/** A stream that lived so long, and was good, owes nothing to the past. */
export const STEADY_MS = 10_000;

/** The longest delay after a first good stream. */
const QUICK_MS = 1_000;

/** Reconnect delays of `retry` in the configuration. */
export interface Retry {
  readonly baseSeconds: number;
  readonly maxSeconds: number;
}

/**
 * Says how long to wait before the next attempt. Each delay is drawn between half and all of what is told
 * below, so that many names do not come back at one moment.
 */
export class Pace {
  readonly #retry: Retry;
  readonly #random: () => number;
  #failures = 0;
  #shortLives = 0;

  constructor(retry: Retry, random: () => number) {
    this.#retry = retry;
    this.#random = random;
  }

  /** After an attempt that gave nothing: the base, doubled for each failure in a row, up to the maximum. */
  afterFailure(): number {
    const { baseSeconds, maxSeconds } = this.#retry;
    return this.#jittered(Math.min(maxSeconds, baseSeconds * 2 ** this.#failures++) * 1000);
  }

  /**
   * After a stream that had given a good line: 1 s. It doubles, up to the base, for streams in a row that
   * lived under 10 s: a server that ends each watch after its first line is not asked every second.
   */
  afterStream(livedMs: number): number {
    this.#failures = 0;
    if (livedMs >= STEADY_MS) this.#shortLives = 0;
    const { baseSeconds, maxSeconds } = this.#retry;
    const most = Math.min(baseSeconds, maxSeconds) * 1000;
    return this.#jittered(Math.min(most, QUICK_MS * 2 ** this.#shortLives++));
  }

  /** All is well: the next failure is the first. */
  reset(): void {
    this.#failures = 0;
  }

  #jittered(ms: number): number {
    return ms * (0.5 + this.#random() / 2);
  }
}
