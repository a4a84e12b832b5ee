/** Work that is due at the end of a turn, so much of it at a time: between two lots others have their turn. */
import type { SchedulerLike, Subscription } from 'rxjs';

/** Most pieces in one turn: a change that concerns all names must not hold up all connections. */
export const MOST_AT_ONCE = 25;

/** A piece of work; one that is due already is not due twice. */
export type Work = () => void;

/** What is due. Bounds: what its users hold, each a piece or two. */
export class Turns {
  readonly #scheduler: SchedulerLike;
  readonly #due = new Set<Work>();
  #turn: Subscription | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Has work done in a turn to come. Order: as it was added; what was added to an empty list is done at the end of this turn. */
  add(work: Work): void {
    this.#due.add(work);
    this.#turn ??= this.#scheduler.schedule(() => this.#run());
  }

  /** Lets work be that is not wanted any more. */
  drop(work: Work): void {
    this.#due.delete(work);
  }

  #run(): void {
    this.#turn = undefined;
    let left = MOST_AT_ONCE;
    try {
      for (const work of this.#due) {
        if (left === 0) break;
        left -= 1;
        this.#due.delete(work);
        work();
      }
    } finally {
      if (this.#due.size > 0) this.#turn ??= this.#scheduler.schedule(() => this.#run());
    }
  }
}

const all = new WeakMap<SchedulerLike, Turns>();

/** The turns of a scheduler: one list for all that is due on it. */
export const turnsOf = (scheduler: SchedulerLike): Turns => {
  const turns = all.get(scheduler) ?? new Turns(scheduler);
  all.set(scheduler, turns);
  return turns;
};
