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
}

/**
 * Keeps names in the order in which they became idle, those of no worth apart, so that the one to go is
 * found in O(1). Bounds: `limit` names; beyond it `admit` says no when every name is in use.
 */
export class Names {
  readonly #all = new Map<string, Held>();
  /** Idle names by worth, longest idle first. */
  readonly #idle = {
    bad: new Map<string, Held>(),
    good: new Map<string, Held>(),
    stale: new Map<string, Held>(),
  };

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
  }

  remove(name: string): void {
    const held = this.#all.get(name);
    if (held === undefined) return;
    this.#all.delete(name);
    this.#idle[held.status.quality].delete(name);
  }

  /** Notes a name’s status. One that becomes idle, or changes its worth while idle, goes to the end of its line. */
  note(name: string, status: Status, at: number): void {
    const held = this.#all.get(name);
    if (held === undefined) return;
    const { idle, quality } = held.status;
    if (status.idle === idle && status.quality === quality) return;
    if (idle) this.#idle[quality].delete(name);
    else if (status.idle) held.idleSince = at;
    held.status = status;
    if (status.idle) this.#idle[status.quality].set(name, held);
  }

  /** Makes room for one more below `limit`: worthless names go first, stale sets last. `false`: all are in use. */
  makeRoom(limit: number): boolean {
    const { bad, good, stale } = this.#idle;
    for (const line of [bad, good, stale]) {
      for (const held of line.values()) {
        if (this.#all.size < limit) return true;
        held.evict();
      }
    }
    return this.#all.size < limit;
  }
}
