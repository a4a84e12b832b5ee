/** When a worker says what it has counted, unasked: soon after something has happened, and not at all while nothing does. */
import type { Snapshot } from '../admin/snapshot.ts';
import type { Timers } from '../timers.ts';
import type { Word } from './protocol.ts';

/** What is counted is said so soon, in ms: so much of it is lost at most when a worker is killed. */
export const COUNT_MS = 2000;

/** What counts are made of. */
export interface CountsSetup {
  readonly say: (word: Word) => void;
  readonly snapshot: () => Snapshot;
  readonly timers: Timers;
}

/** Connections that are held, and bytes that have passed: of these no event tells. */
const trafficOf = (snapshot: Snapshot): { readonly held: number; readonly bytes: number } => {
  let held = 0;
  let bytes = 0;
  for (const { counters, gauges } of snapshot) {
    held += gauges.get('l5d:srv:active') ?? 0;
    bytes += counters.get('l5d:srv:stream:rx_bytes') ?? 0;
    bytes += counters.get('l5d:srv:stream:tx_bytes') ?? 0;
  }
  return { held, bytes };
};

/**
 * Says counts.
 *
 *   happens  e--e----------------     e an event · b bytes pass
 *   held     ======b=======           while connections are held, it looks again
 *   said     -----c----c---------     COUNT_MS later, if something has happened since it said so last
 *
 * Bounds: one timer, and none while nothing is held and nothing happens.
 */
export class Counts {
  readonly #setup: CountsSetup;
  #hasNews = false;
  #isArmed = false;
  /** That had passed when counts were said last. */
  #bytes = 0;

  constructor(setup: CountsSetup) {
    this.#setup = setup;
  }

  /** Something has happened. Called for each event: all but the first cost a comparison. */
  readonly stir = (): void => {
    if (this.#hasNews) return;
    this.#hasNews = true;
    this.#arm();
  };

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#setup.timers.after(COUNT_MS, this.#look);
  }

  readonly #look = (): void => {
    this.#isArmed = false;
    const snapshot = this.#setup.snapshot();
    const { held, bytes } = trafficOf(snapshot);
    if (this.#hasNews || bytes !== this.#bytes) {
      this.#hasNews = false;
      this.#bytes = bytes;
      this.#setup.say({ t: 'counts', snapshot });
    }
    if (held > 0) this.#arm();
  };
}
