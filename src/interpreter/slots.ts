/** A bounded number of things at one time; the others wait in the order in which they asked. */
import { defer, finalize, type Observable, ReplaySubject, switchMap, take } from 'rxjs';

type Turn = ReplaySubject<void>;

/** So many slots, each held from the subscription of its work to its end. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<Turn>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether whoever asks now need not wait. */
  get isFree(): boolean {
    return this.#free > 0;
  }

  /**
   * Runs `work$` while holding a slot.
   * Order: at once if a slot is free, synchronously; else first come, first served.
   * Ends: with the work; unsubscribing gives back the slot, or the place in the queue.
   */
  hold<T>(work$: Observable<T>): Observable<T> {
    return defer(() => {
      const turn$: Turn = new ReplaySubject(1);
      this.#waiting.add(turn$);
      this.#serve();
      return turn$.pipe(
        take(1),
        switchMap(() => work$),
        finalize(() => this.#leave(turn$)),
      );
    });
  }

  #leave(turn$: Turn): void {
    if (!this.#waiting.delete(turn$)) this.#free += 1;
    this.#serve();
  }

  #serve(): void {
    for (const turn$ of this.#waiting) {
      if (this.#free === 0) return;
      this.#free -= 1;
      this.#waiting.delete(turn$);
      turn$.next();
    }
  }
}
