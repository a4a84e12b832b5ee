/** Which names have series of their own, from `named` to `unnamed`, and which share one. Pure. */
import { Tally } from './series.ts';

/** The name that the rest share when there are more names than `maxNameSeries`; no path can be it. */
export const OTHER_NAMES = '…';

interface Held {
  readonly tally: Tally;
  readonly isShared: boolean;
  /** Balancers of this name: while one ends the next may have begun. */
  balancers: number;
}

/** Two levels of maps, router and name: joining them into a key costs more. Bounds: the names that the binders hold. */
export class NameTallies {
  readonly #routers = new Map<string, Map<string, Held>>();
  /** By router: what its other names share, and how many they are. */
  readonly #shared = new Map<string, { readonly tally: Tally; names: number }>();
  readonly #mostOwn: () => number;
  #own = 0;

  constructor(mostOwn: () => number) {
    this.#mostOwn = mostOwn;
  }

  /** Begins the series of a name. */
  add(rt: string, dst: string): void {
    const names = this.#routers.get(rt) ?? new Map<string, Held>();
    this.#routers.set(rt, names);
    const known = names.get(dst);
    if (known === undefined) names.set(dst, this.#hold(rt, dst));
    else known.balancers += 1;
  }

  /** Ends the series of a name; nothing happens to a name that has none. */
  remove(rt: string, dst: string): void {
    const names = this.#routers.get(rt);
    const held = names?.get(dst);
    if (names === undefined || held === undefined) return;
    held.balancers -= 1;
    if (held.balancers > 0) return;
    names.delete(dst);
    if (names.size === 0) this.#routers.delete(rt);
    if (held.isShared) this.#leaveShared(rt);
    else this.#own -= 1;
  }

  /** Its own tally or the one that it shares; `undefined`: nobody bound this name, or it was let go. */
  get(rt: string, dst: string): Tally | undefined {
    return this.#routers.get(rt)?.get(dst)?.tally;
  }

  has(rt: string): boolean {
    return this.#routers.has(rt);
  }

  /** Every tally, shared ones once. */
  *all(): IterableIterator<Tally> {
    for (const names of this.#routers.values()) {
      for (const { tally, isShared } of names.values()) if (!isShared) yield tally;
    }
    for (const { tally } of this.#shared.values()) yield tally;
  }

  #hold(rt: string, dst: string): Held {
    if (this.#own < this.#mostOwn()) {
      this.#own += 1;
      return { tally: new Tally('name', { dst, rt }), isShared: false, balancers: 1 };
    }
    const shared = this.#shared.get(rt) ?? {
      tally: new Tally('name', { dst: OTHER_NAMES, rt }),
      names: 0,
    };
    shared.names += 1;
    this.#shared.set(rt, shared);
    return { tally: shared.tally, isShared: true, balancers: 1 };
  }

  #leaveShared(rt: string): void {
    const shared = this.#shared.get(rt);
    if (shared === undefined) return;
    shared.names -= 1;
    if (shared.names === 0) this.#shared.delete(rt);
  }
}
