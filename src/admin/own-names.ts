/** Which names have series of their own in the sum of several processes, each of which has chosen for itself. Pure. */

/** Bounds: the names that it was asked of and has not forgotten. */
export class OwnNames {
  readonly #isOwn = new Map<string, boolean>();
  readonly #mostOwn: () => number;
  #own = 0;

  constructor(mostOwn: () => number) {
    this.#mostOwn = mostOwn;
  }

  /** Those that come first have; a name stays what it was, since a count that moved to another series would fall. */
  has(name: string): boolean {
    const known = this.#isOwn.get(name);
    if (known !== undefined) return known;
    const isOwn = this.#own < this.#mostOwn();
    this.#isOwn.set(name, isOwn);
    if (isOwn) this.#own += 1;
    return isOwn;
  }

  /** Makes room. */
  forget(isGone: (name: string) => boolean): void {
    for (const [name, isOwn] of this.#isOwn) {
      if (!isGone(name)) continue;
      this.#isOwn.delete(name);
      if (isOwn) this.#own -= 1;
    }
  }
}
