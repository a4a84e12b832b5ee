/** Fairness: how much sockets read in one turn of the event loop before others have theirs. */

/** One socket reads so much in a turn, in bytes, and then rests. */
const SOCKET_BYTES = 4 * 1024 * 1024;

/** All together read so much in a turn, in bytes; from then on each rests after one read. */
const ALL_BYTES = 16 * 1024 * 1024;

/** Less than this is no matter, in bytes: the end of the turn is waited for only from here on. */
const NOTED_BYTES = 256 * 1024;

/** Takes its turns. */
export interface Reader {
  /** In which turn it read last, and how much, in bytes. */
  turn: number;
  burst: number;
  /** It lets others read, until `rested`. */
  isResting: boolean;
  readonly rested: () => void;
}

/**
 * The platform reads a socket that always has more 32 times in a row before it looks at another: eight busy ones would hold up
 * all others for 25 ms, and hundreds for longer.
 */
export class FairReads {
  readonly #soon: (task: () => void) => void;
  readonly #resting: Reader[] = [];
  #turn = 0;
  #bytes = 0;

  /** `soon` runs a task in the next turn of the event loop. */
  constructor(soon: (task: () => void) => void) {
    this.#soon = soon;
  }

  /**
   * Counts a read that may not be the last of this turn, as so many bytes of the cheapest kind. `true`: the socket is to
   * read nothing until `rested`, which comes in the next turn.
   */
  mustRest(reader: Reader, bytes: number): boolean {
    const before = this.#bytes;
    this.#bytes += bytes;
    if (before < NOTED_BYTES && this.#bytes >= NOTED_BYTES) this.#soon(this.#next);
    if (reader.turn !== this.#turn) reader.burst = 0;
    reader.turn = this.#turn;
    reader.burst += bytes;
    if (reader.isResting) return true;
    if (reader.burst < SOCKET_BYTES && this.#bytes < ALL_BYTES) return false;
    reader.isResting = true;
    this.#resting.push(reader);
    return true;
  }

  readonly #next = (): void => {
    this.#bytes = 0;
    this.#turn += 1;
    for (const reader of this.#resting.splice(0)) {
      reader.isResting = false;
      reader.rested();
    }
  };
}
