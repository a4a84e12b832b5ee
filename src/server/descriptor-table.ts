/**
 * The system’s table of descriptors, made larger ahead of need. By itself it grows when the next descriptor finds it full,
 * and whoever wants that one waits until no processor looks at the old table any more, as Node has several threads: the
 * event loop would stand still for 5 to 17 ms, eight times on the way to 9,000 connections. Source: Linux, fs/file.c.
 */
import { closeSync, open, openSync } from 'node:fs';
import type { Descriptors } from './descriptors.ts';
import { readOwn } from './fd-limit.ts';

/** Opened for its descriptor alone. */
const NOTHING = '/dev/null';

/** Descriptors that it has room for from the start; then it doubles whenever half of them are held. */
export const FIRST_SIZE = 4096;

/** Descriptors that others are left while it grows, below the limit. */
const LEFT_TO_OTHERS = 1024;

/** Most that are opened, or closed, in one turn of the event loop. */
const AT_ONCE = 256;

/** In ms: another thread begins what it was given, unless it has to be made first, or the machine is busy. */
const BEGUN_MS = 1;

/** How often it is tried in a row. */
const MOST_TRIES = 3;

/** Ways to a descriptor. The lowest free number is the next. */
export interface Files {
  /** Opens a file that is nothing, at once. Errors: throws as the system does. */
  readonly open: () => number;
  /** The same on another thread. `undefined`: it failed. */
  readonly openElsewhere: (done: (descriptor: number | undefined) => void) => void;
  /** Waits until the other thread has most likely begun. */
  readonly giveWay: () => void;
  readonly close: (descriptor: number) => void;
}

const NEVER_TOLD = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

const FILES: Files = {
  open: () => openSync(NOTHING, 'r'),
  openElsewhere: (done) => {
    open(NOTHING, 'r', (error, descriptor) => done(error === null ? descriptor : undefined));
  },
  giveWay: () => void Atomics.wait(NEVER_TOLD, 0, 0, BEGUN_MS),
  close: closeSync,
};

/**
 * Doubles the table: fills it with open files, has another thread open the one that does not fit, and closes them while
 * that thread waits in our place: connections find room below.
 * Bounds: as many files as fill it, and never within `LEFT_TO_OTHERS` of the limit.
 */
class Table {
  readonly #descriptors: Descriptors;
  readonly #soon: (task: () => void) => void;
  readonly #files: Files;
  readonly #opened: number[] = [];
  #size: number;
  #tries = 0;

  constructor(
    size: number,
    parts: { descriptors: Descriptors; soon: (task: () => void) => void; files: Files },
  ) {
    this.#size = size;
    this.#descriptors = parts.descriptors;
    this.#soon = parts.soon;
    this.#files = parts.files;
  }

  /** Doubles it now or when it has to be. */
  begin(): void {
    if (this.#size + LEFT_TO_OTHERS > this.#descriptors.limit) return;
    if (this.#size < FIRST_SIZE) this.#fill();
    else this.#descriptors.tell(this.#size / 2, this.#fill);
  }

  readonly #fill = (): void => {
    let last = -1;
    try {
      for (let left = AT_ONCE; left > 0 && last < this.#size - 1; left--) {
        last = this.#files.open();
        this.#opened.push(last);
      }
    } catch {
      // Others have taken the rest: it grows by itself, if ever.
      this.#empty(this.#opened.splice(0));
      return;
    }
    if (last < this.#size - 1) this.#soon(this.#fill);
    else this.#cross(last);
  };

  #cross(last: number): void {
    const opened = this.#opened.splice(0);
    if (last < this.#size) {
      this.#files.openElsewhere(this.#crossed);
      this.#files.giveWay();
    } else this.#grown();
    this.#empty(opened);
  }

  readonly #crossed = (descriptor: number | undefined): void => {
    if (descriptor === undefined) return;
    this.#files.close(descriptor);
    if (descriptor >= this.#size) this.#grown();
    else this.#missed();
  };

  #grown(): void {
    this.#tries = 0;
    this.#size *= 2;
    this.begin();
  }

  /** The other thread came too late, and found room. */
  #missed(): void {
    this.#tries += 1;
    if (this.#tries % MOST_TRIES > 0) this.#soon(this.#fill);
    else this.#descriptors.tell(this.#descriptors.held + AT_ONCE, this.#fill);
  }

  #empty(opened: number[]): void {
    for (const descriptor of opened.splice(-AT_ONCE)) this.#files.close(descriptor);
    if (opened.length > 0) this.#soon(() => this.#empty(opened));
  }
}

/** What the system says of a process: descriptors that its table has room for; `undefined`: it does not say. */
export const tableSize = (status: string): number | undefined => {
  const size = /^FDSize:\s+(\d+)/m.exec(status)?.[1];
  return size === undefined ? undefined : Number(size);
};

/**
 * Keeps the system’s table ahead of the descriptors that are held, from now on, and gives them back. `soon` runs a task in the next turn of the
 * event loop. Nothing where the system does not tell the size of its table.
 */
export const keepTableAhead = (
  descriptors: Descriptors,
  soon: (task: () => void) => void,
  { files, size }: { readonly files: Files; readonly size: number | undefined } = {
    files: FILES,
    size: tableSize(readOwn('status')),
  },
): Descriptors => {
  if (size !== undefined) new Table(size, { descriptors, soon, files }).begin();
  return descriptors;
};
