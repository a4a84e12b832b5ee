/** Memory that is only written at its end: numbers, and texts that are written once. */

/** Memory is taken in pieces of so many bytes. */
const PIECE_BYTES = 64 * 1024;

/** What a text costs beside its bytes, about: it is remembered, so that it is written once. */
const TEXT_BYTES = 64;

/** A value never goes over the end of a piece; a reader that has come to the end of one goes on at the next. */
export class Segment {
  /** When it was begun, in ms of the scheduler. */
  readonly since: number;
  readonly #full: Buffer[] = [];
  readonly #texts = new Map<string, number>();
  #piece = Buffer.alloc(0);
  #at = 0;
  #bytes = 0;
  /** When something was written last. */
  until: number;

  constructor(since: number) {
    this.since = since;
    this.until = since;
  }

  /** The memory that it has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  byte(value: number): void {
    this.#room(1);
    this.#piece[this.#at++] = value;
  }

  /** A whole number below 2^32. */
  index(value: number): void {
    this.#room(4);
    this.#at = this.#piece.writeUInt32LE(value, this.#at);
  }

  number(value: number): void {
    this.#room(8);
    this.#at = this.#piece.writeDoubleLE(value, this.#at);
  }

  /** A text that comes but once. */
  text(value: string): void {
    // No character of UTF-16 takes more than three bytes of UTF-8.
    this.#room(4 + 3 * value.length);
    const written = this.#piece.write(value, this.#at + 4, 'utf8');
    this.#piece.writeUInt32LE(written, this.#at);
    this.#at += 4 + written;
  }

  /** A text that may come again: from then on, its number. */
  word(value: string): void {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      this.index(known);
      return;
    }
    const next = this.#texts.size;
    this.#texts.set(value, next);
    this.#bytes += TEXT_BYTES;
    this.index(next);
    this.text(value);
  }

  /** What is written by now; what comes later is not in it. */
  pieces(): readonly Buffer[] {
    return [...this.#full, this.#piece.subarray(0, this.#at)];
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#piece.length) return;
    if (this.#at > 0) this.#full.push(this.#piece.subarray(0, this.#at));
    const size = Math.max(PIECE_BYTES, bytes);
    this.#piece = Buffer.allocUnsafeSlow(size);
    this.#at = 0;
    this.#bytes += size;
  }
}

/** Reads what was written, value by value, in the same order and kinds. */
export class SegmentReader {
  readonly #pieces: readonly Buffer[];
  readonly #texts: string[] = [];
  #piece = 0;
  #at = 0;

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces.filter(({ length }) => length > 0);
  }

  get isOver(): boolean {
    return this.#piece >= this.#pieces.length;
  }

  byte(): number {
    const value = this.#here().readUInt8(this.#at);
    this.#pass(1);
    return value;
  }

  index(): number {
    const value = this.#here().readUInt32LE(this.#at);
    this.#pass(4);
    return value;
  }

  number(): number {
    const value = this.#here().readDoubleLE(this.#at);
    this.#pass(8);
    return value;
  }

  text(): string {
    const piece = this.#here();
    const from = this.#at + 4;
    const to = from + piece.readUInt32LE(this.#at);
    const value = piece.toString('utf8', from, to);
    this.#pass(to - this.#at);
    return value;
  }

  word(): string {
    const at = this.index();
    if (at === this.#texts.length) this.#texts.push(this.text());
    return this.#texts[at] ?? '';
  }

  #here(): Buffer {
    return this.#pieces[this.#piece] ?? Buffer.alloc(0);
  }

  #pass(bytes: number): void {
    this.#at += bytes;
    if (this.#at < this.#here().length) return;
    this.#piece += 1;
    this.#at = 0;
  }
}
