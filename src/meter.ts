/** What the streams of a name move, read now and then and never in the way of a byte. */
import type { Stream } from './duplex/stream.ts';
import { Table } from './table.ts';

interface Metered {
  readonly endpoint: string;
  readonly stream: Pick<Stream, 'rx' | 'tx'>;
  /** Bytes that were told already. */
  told: number;
}

/** Bounds: the streams that are open, and the endpoints of those that ended since it was read last. */
export class Meter {
  readonly #open = new Table<number, Metered>();
  /** By endpoint: moved by streams that have ended, and not told yet. */
  #ended = new Map<string, number>();

  /** From now on a stream counts. */
  add(dial: number, endpoint: string, stream: Metered['stream']): void {
    this.#open.set(dial, { endpoint, stream, told: 0 });
  }

  /** A stream has ended, having moved so many bytes in all. Nothing happens to one that does not count. */
  end(dial: number, bytes: number): void {
    const metered = this.#open.take(dial);
    if (metered === undefined) return;
    this.#note(this.#ended, metered, bytes);
  }

  /** Bytes moved since it was read last, by endpoint. O(open streams). */
  read(): ReadonlyMap<string, number> {
    const moved = this.#ended;
    this.#ended = new Map();
    for (const metered of this.#open.values())
      this.#note(moved, metered, metered.stream.rx + metered.stream.tx);
    return moved;
  }

  #note(moved: Map<string, number>, metered: Metered, bytes: number): void {
    const { endpoint, told } = metered;
    if (bytes > told) moved.set(endpoint, (moved.get(endpoint) ?? 0) + bytes - told);
    metered.told = bytes;
  }
}
