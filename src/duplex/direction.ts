/** One direction of a stream: what one socket reads is written to the other, and counted. */
import type { Socket } from 'node:net';
import { type BufferBudget, PRESSED_BYTES } from './budget.ts';

/** What a direction works with. */
export interface DirectionOptions {
  readonly source: Socket;
  readonly sink: Socket;
  /** The most that it holds unwritten before its source pauses; one read may go beyond. */
  readonly limitBytes: number;
  readonly budget: BufferBudget;
  readonly now: () => number;
  /** The first byte has come, and is not passed on yet. */
  readonly began: () => void;
  /** The source ended, and the sink will end after what it still holds. */
  readonly ended: () => void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Moves bytes from `source` to `sink` and passes the end on.
 *
 *   source ── data ──▶ write ──▶ sink ──▶ the system      held = what the sink has not written yet
 *      ▲                           │
 *      └─ pause at the limit ◀─────┘ resume below half of it
 *
 * A write that ends at once needs no callback, and costs less without; once one does not, each write
 * brings its callback along until they end at once again. `drain` is not used: it comes only after a
 * write beyond the stream’s own high-water mark, and a pause below that mark would last for ever.
 * Owns: neither socket. Errors: never; a write that fails shows as an error of the sink.
 */
export class Direction {
  /** Bytes read from the source. */
  moved = 0;
  /** When bytes last moved, to the sink or out of it; `-Infinity`: never. */
  movedAt = Number.NEGATIVE_INFINITY;
  /** The source has ended, and so will the sink. */
  ended = false;
  readonly #options: DirectionOptions;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #now: () => number;
  /** Bytes that the sink holds. */
  #held = 0;
  /** Bytes that the sink can write no more. */
  #lost = 0;
  #late = true;
  #paused = false;

  constructor(options: DirectionOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#sink = options.sink;
    this.#now = options.now;
  }

  /** Bytes that the system has taken from the sink. */
  get delivered(): number {
    return this.moved - this.#held - this.#lost;
  }

  /** Whether the sink has bytes that its peer may not have: its own, and those given to the system since `recentMs`. */
  owes(recentMs: number): boolean {
    return this.#sink.writableLength > 0 || this.#now() - this.movedAt < recentMs;
  }

  /** Begins to read. Order: nothing is read synchronously; a source that ended before is told at once. */
  start(): void {
    this.#source.on('data', this.#onData);
    if (this.#source.readableEnded) this.#onEnd();
    else this.#source.on('end', this.#onEnd);
    this.#source.resume();
  }

  /** Reads on, but passes nothing on: nobody is left to get it. */
  discard(): void {
    this.#detach();
    this.#source.resume();
  }

  /** Passes on what the source had read before it was destroyed. */
  salvage(): void {
    this.#detach();
    // A destroyed socket gives what it holds without an event, or with one that nobody hears any more.
    for (let chunk = this.#source.read(); chunk !== null; chunk = this.#source.read())
      this.#onData(chunk);
  }

  /** Gives back to the budget what the sink, now closed, will never write. */
  release(): void {
    this.#lost += this.#held;
    this.#hold(0);
  }

  #detach(): void {
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (this.moved === 0) this.#options.began();
    this.moved += chunk.length;
    this.movedAt = this.#now();
    if (this.#late) sink.write(chunk, this.#onWritten);
    else sink.write(chunk);
    if (!sink.writable) {
      this.#lost += chunk.length;
      return;
    }
    const held = sink.writableLength;
    if (held > 0 || this.#held > 0) this.#lag(held);
    else this.#late = false;
  };

  /** The sink did not write everything at once. */
  #lag(held: number): void {
    this.#hold(held);
    if (held === 0) this.#late = false;
    else if (!this.#late) {
      this.#late = true;
      this.#sink.write(NOTHING, this.#onWritten);
    }
    if (held < this.#limit()) return;
    this.#paused = true;
    this.#source.pause();
  }

  /** One for all writes, so that a write makes no closure. */
  readonly #onWritten = (): void => {
    const sink = this.#sink;
    // What a failed sink held counts as held until it is closed.
    if (sink.destroyed || sink.errored !== null) return;
    const held = sink.writableLength;
    if (held < this.#held) this.movedAt = this.#now();
    this.#hold(held);
    if (this.#paused && held * 2 < this.#limit()) this.#resume();
  };

  #resume(): void {
    // A source that has failed keeps what it read for `salvage`.
    if (this.#source.errored !== null) return;
    this.#paused = false;
    // What it has is taken now: between here and the next turn it could fail, and drop it.
    this.#source.read();
    if (!this.#paused) this.#source.resume();
  }

  readonly #onEnd = (): void => {
    // Node tells a reset that comes together with data as an end. An empty write tells them apart: it fails.
    if (this.#source.writable) this.#source.write(NOTHING);
    if (this.#source.errored !== null) return;
    this.ended = true;
    this.#sink.end();
    this.#options.ended();
  };

  #limit(): number {
    const { limitBytes, budget } = this.#options;
    return budget.pressed ? Math.min(limitBytes, PRESSED_BYTES) : limitBytes;
  }

  #hold(bytes: number): void {
    this.#options.budget.held += bytes - this.#held;
    this.#held = bytes;
  }
}
