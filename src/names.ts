/** The names a binder holds, and which of them makes room when there are too many. Pure. */
import type { Observable } from 'rxjs';
import type { Status } from './balancer/balance.ts';

/** One name in use or kept. */
export interface Held {
  /** Lets the name go. */
  readonly evict: () => void;
  /** Emits when it is let go. */
  readonly evict$: Observable<void>;
  status: Status;
  /** Since when it is idle; meaningless while it is not. */
  idleSince: number;
  /** Not let go yet. */
  isHeld: boolean;
  /** Its neighbours in the line of those that are idle. */
  before: Held | undefined;
  after: Held | undefined;
}

/** Idle names of one worth, longest idle first. A name is in one line at most, and goes in and out with most connections. */
class Line {
  first: Held | undefined;
  #last: Held | undefined;

  add(held: Held): void {
    held.before = this.#last;
    if (this.#last === undefined) this.first = held;
    else this.#last.after = held;
    this.#last = held;
  }

  remove(held: Held): void {
    const { before, after } = held;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    held.before = undefined;
    held.after = undefined;
  }
}

/**
 * Keeps names in the order in which they became idle, those of no worth apart, so that the one to go is
 * found in O(1). Bounds: `limit` names; beyond it `admit` says no when every name is in use.
 */
export class Names {
  readonly #all = new Map<string, Held>();
  readonly #idle = { bad: new Line(), good: new Line(), stale: new Line() };

  get size(): number {
    return this.#all.size;
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  get(name: string): Held | undefined {
    return this.#all.get(name);
  }

  add(name: string, held: Held): void {
    this.#all.set(name, held);
    held.isHeld = true;
  }

  /** Lets a name go, once. */
  remove(name: string, held: Held): void {
    if (!held.isHeld) return;
    held.isHeld = false;
    this.#all.delete(name);
    const { idle, quality } = held.status;
    if (idle) this.#idle[quality].remove(held);
  }

  /** Notes the status of a name that is held. One that becomes idle, or changes its worth while idle, goes to the end of its line. */
  note(held: Held, status: Status, at: number): void {
    const { idle, quality } = held.status;
    if (status.idle === idle && status.quality === quality) return;
    if (idle) this.#idle[quality].remove(held);
    else if (status.idle) held.idleSince = at;
    held.status = status;
    if (status.idle) this.#idle[status.quality].add(held);
  }

  /** Makes room for one more below `limit`: worthless names go first, stale sets last. `false`: all are in use. */
  makeRoom(limit: number): boolean {
    const { bad, good, stale } = this.#idle;
    for (const line of [bad, good, stale]) {
      for (let held = line.first; held !== undefined; held = line.first) {
        if (this.#all.size < limit) return true;
        held.evict();
      }
    }
    return this.#all.size < limit;
  }
}
