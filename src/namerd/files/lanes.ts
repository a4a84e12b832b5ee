/** Work on one thing is done in turn, and on different things side by side. */
import { defer, finalize, type Observable } from 'rxjs';
import { Slots } from '../../interpreter/slots.ts';
import { replayed } from '../../keyed.ts';

interface Lane {
  readonly turn: Slots;
  /** Who works or waits here. */
  users: number;
}

/** A lane for each key, as long as it is used. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #all: Slots;
  #users = 0;

  /** `most`: works at one time, over all lanes. */
  constructor(most: number) {
    this.#all = new Slots(most);
  }

  /** How many work or wait, over all lanes. */
  get users(): number {
    return this.#users;
  }

  /**
   * Does work in its lane. Order: in each lane as they were subscribed.
   * What was begun is done to its end, also when nobody listens any more: half of it would be in the next one’s way.
   */
  run<T>(key: string, work$: Observable<T>): Observable<T> {
    return defer(() => {
      const lane = this.#lanes.get(key) ?? { turn: new Slots(1), users: 0 };
      this.#lanes.set(key, lane);
      lane.users += 1;
      this.#users += 1;
      const leave = (): void => {
        lane.users -= 1;
        this.#users -= 1;
        if (lane.users === 0) this.#lanes.delete(key);
      };
      return lane.turn.hold(this.#all.hold(work$)).pipe(finalize(leave), replayed());
    });
  }
}
