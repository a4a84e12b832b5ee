/** Fairness: how much sockets read in one turn of the event loop before others have theirs. */

/** One socket reads so much without a pause, in bytes, and then rests. */
const SOCKET_BYTES = 4 * 1024 * 1024;

/** All together read so much in a turn, in bytes; from then on each rests after one read. */
const ALL_BYTES = 16 * 1024 * 1024;

/** Has bursts of reads. */
export interface Reader {
  /** Bytes of full reads, one after the other, without a pause. */
  burst: number;
  /** It lets others read, until `rested`. */
  isResting: boolean;
  readonly rested: () => void;
}

/**
 * The platform reads a socket that always has more 32 times in a row before it looks at another: eight busy ones would hold up
 * all others for 25 ms, and hundreds for longer. What reads less than it could costs nothing here.
 */
export class FairReads {
  readonly #soon: (task: () => void) => void;
  readonly #resting: Reader[] = [];
  #bytes = 0;

  /** `soon` runs a task in the next turn of the event loop. */
  constructor(soon: (task: () => void) => void) {
    this.#soon = soon;
  }

  /** Counts a read behind which there is more. `true`: it is to read nothing until `rested`, which comes in the next turn. */
  mustRest(reader: Reader, bytes: number): boolean {
    if (this.#bytes === 0) this.#soon(this.#next);
    this.#bytes += bytes;
    reader.burst += bytes;
    if (reader.burst < SOCKET_BYTES && this.#bytes < ALL_BYTES) return false;
    reader.isResting = true;
    this.#resting.push(reader);
    return true;
  }

  readonly #next = (): void => {
    this.#bytes = 0;
    for (const reader of this.#resting.splice(0)) {
      reader.burst = 0;
      reader.isResting = false;
      reader.rested();
    }
  };
}
