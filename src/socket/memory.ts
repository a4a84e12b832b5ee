/** The memory that sockets on handles read into and write from: one of each for the whole process. */

import { FairReads } from './fair-reads.ts';
import type { Account } from './keeper.ts';
import type { Native, WriteRequest } from './native.ts';
import { SHORT_BYTES } from './socket.ts';

/** Largest read of a socket that has no memory of its own, in bytes. */
export const SHARED_BYTES = 64 * 1024;

/** Copies up to this size are kept apart, since the platform keeps the whole of what it does not take at once. */
const SMALL_BYTES = 4 * 1024;

/** How many lengths of small messages are known at a time. */
const PAIRS = 64;

/** The first so many bytes of what is read into, and of what small writes are copied to. */
interface Pair {
  readonly from: Buffer;
  readonly to: Buffer;
}

/**
 * Every socket reads into the same memory, so it never leaves our hands: what is to be written is copied first, into
 * memory that is used again while the platform takes each write at once. When it does not, that memory is the
 * platform’s, and there is a new one.
 */
export class Memory {
  readonly native: Native;
  readonly soon: (task: () => void) => void;
  /** What is kept for sockets counts here. */
  readonly account: Account;
  readonly fair: FairReads;
  /** Who was read last. */
  lastReader: object | undefined;
  #small = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #large = Buffer.allocUnsafeSlow(SHARED_BYTES);
  #request: WriteRequest | undefined;
  readonly #shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  readonly #short = this.#shared.subarray(0, SHORT_BYTES);
  /** Parts of it, from its beginning. */
  readonly #views = new Map([
    [SHARED_BYTES, this.#shared],
    [SHORT_BYTES, this.#short],
  ]);
  /** By length: to make two views costs more than to copy a small message between them. */
  #pairs: (Pair | undefined)[] = [];

  /** `soon` runs a task in the next turn of the event loop. */
  constructor(native: Native, soon: (task: () => void) => void, account: Account) {
    this.native = native;
    this.account = account;
    this.soon = soon;
    this.fair = new FairReads(soon);
  }

  /** Memory for all to read into, up to so many bytes; the same each time. A config knows few lengths. */
  view(bytes: number): Buffer {
    const known = this.#views.get(bytes);
    if (known !== undefined) return known;
    const view = this.#shared.subarray(0, bytes);
    this.#views.set(bytes, view);
    return view;
  }

  /** A copy of lent memory for one write. */
  copy(memory: Buffer, length: number): Buffer {
    const isShared = memory === this.#short || memory === this.#shared;
    if (isShared && length <= SMALL_BYTES) {
      const { from, to } = this.#pair(length);
      to.set(from);
      return to;
    }
    const copies = length <= SMALL_BYTES ? this.#small : this.#large;
    memory.copy(copies, 0, 0, length);
    return copies.subarray(0, length);
  }

  /** A request for one write. */
  request(): WriteRequest {
    this.#request ??= this.native.makeWrite();
    return this.#request;
  }

  /** The platform keeps the request of the last write, and with it the copy that it wrote, if it was one. */
  keep(copied: Buffer | undefined): void {
    this.#request = undefined;
    if (copied === undefined) return;
    if (copied.length <= SMALL_BYTES) {
      this.#small = Buffer.allocUnsafeSlow(SMALL_BYTES);
      this.#pairs = [];
    } else this.#large = Buffer.allocUnsafeSlow(SHARED_BYTES);
  }

  #pair(length: number): Pair {
    const slot = length % PAIRS;
    const known = this.#pairs[slot];
    if (known?.from.length === length) return known;
    const pair = { from: this.#shared.subarray(0, length), to: this.#small.subarray(0, length) };
    this.#pairs[slot] = pair;
    return pair;
  }
}
