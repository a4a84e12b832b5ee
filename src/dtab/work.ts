/** How much work one name may be. Rules may lead anywhere, and whoever may write them must not hold up all other names. Pure. */
import type { Path } from '../path.ts';

/** Most look-ups in a row, from the name that is asked for to the namer that knows it. */
export const MOST_DEPTH = 100;

/** Most look-ups for one name, over all branches: a union that doubles itself would never end. */
export const MOST_LOOKUPS = 1000;

/** Most rules and parts of trees that are looked at for one name. */
export const MOST_STEPS = 100_000;

/** Longest name, in characters: rules may make it longer each time. */
export const LONGEST_NAME = 4096;

/** Most levels of look-ups and of trees within trees: whoever walks through what was found needs some stack for each. */
export const MOST_LEVELS = 500;

/** How far down something stands. */
export interface Down {
  /** Look-ups above it. */
  readonly depth: number;
  /** Look-ups and trees above it. */
  readonly level: number;
}

/** The work that one name has been. */
export class Work {
  #lookups = 0;
  #steps = 0;

  /** Nothing more is to be looked at. */
  get isOver(): boolean {
    return this.#lookups > MOST_LOOKUPS || this.#steps > MOST_STEPS;
  }

  /** Takes a look-up. Says, in words, what bound it is beyond. */
  lookUp(path: Path, { depth }: Pick<Down, 'depth'>): string | undefined {
    if (depth >= MOST_DEPTH) return `Max recursion level: ${MOST_DEPTH} reached in Namer lookup`;
    this.#lookups += 1;
    if (this.#lookups > MOST_LOOKUPS) return `expected at most ${MOST_LOOKUPS} look-ups, got more`;
    return path.length > LONGEST_NAME
      ? `expected a name of at most ${LONGEST_NAME} characters, got ${path.length}`
      : undefined;
  }

  /** Takes steps. Says, in words, that they are too many, or lead too far down. */
  step(count: number, { level }: Pick<Down, 'level'>): string | undefined {
    this.#steps += count;
    if (this.#steps > MOST_STEPS)
      return `expected at most ${MOST_STEPS} rules and parts of them, got more`;
    return level > MOST_LEVELS
      ? `expected at most ${MOST_LEVELS} levels of names and parentheses, got more`
      : undefined;
  }
}

/** A tree within another one. */
export const within = <D extends Down>(down: D): D => ({ ...down, level: down.level + 1 });
