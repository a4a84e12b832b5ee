/** Memory that is only written at its end: numbers in cells, and texts beside them. */

const CELL_BYTES = 8;

/** What a word costs beside its characters, about. */
const WORD_BYTES = 64;

/** Texts up to this length are copied character by character: that is sooner done than a call of the platform. */
const SHORT = 64;

/** What was written until a moment. */
export interface Written {
  readonly since: number;
  readonly cells: readonly Float64Array[];
  readonly texts: readonly Buffer[];
  readonly words: readonly string[];
}

/** A record makes room for its cells, and then writes them; so it lies in one piece. */
export class Segment {
  /** When it was begun, in ms of the scheduler. */
  readonly since: number;
  /** Memory is taken in pieces of so many bytes, or larger ones where something does not fit. */
  readonly #pieceBytes: number;
  readonly #fullCells: Float64Array[] = [];
  readonly #fullTexts: Buffer[] = [];
  readonly #words = new Map<string, number>();
  #cells = new Float64Array(0);
  #cell = 0;
  #texts = Buffer.alloc(0);
  #char = 0;
  #bytes = 0;
  /** When something was written last. */
  until: number;

  constructor(since: number, pieceBytes: number) {
    this.since = since;
    this.#pieceBytes = pieceBytes;
    this.until = since;
  }

  /** The memory that it has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Makes room for so many cells. */
  room(cells: number): void {
    if (this.#cell + cells <= this.#cells.length) return;
    if (this.#cell > 0) this.#fullCells.push(this.#cells.subarray(0, this.#cell));
    this.#cells = new Float64Array(Math.max(this.#pieceBytes / CELL_BYTES, cells));
    this.#cell = 0;
    this.#bytes += this.#cells.byteLength;
  }

  /** Writes a number to the next cell; there must be room. */
  add(value: number): void {
    this.#cells[this.#cell++] = value;
  }

  /** The number of a text that may come again. */
  word(value: string): number {
    const known = this.#words.get(value);
    if (known !== undefined) return known;
    const next = this.#words.size;
    this.#words.set(value, next);
    this.#bytes += WORD_BYTES + 2 * value.length;
    return next;
  }

  /** Writes a text that comes but once. */
  text(value: string): void {
    const isShort = value.length <= SHORT;
    // No character of UTF-16 takes more than three bytes of UTF-8.
    this.#textRoom(4 + (isShort ? 3 * value.length : Buffer.byteLength(value)));
    const from = this.#char + 4;
    const written = isShort ? this.#copy(value, from) : 0;
    const length = written === value.length ? written : this.#texts.write(value, from, 'utf8');
    this.#texts.writeUInt32LE(length, this.#char);
    this.#char = from + length;
  }

  /** All by now; what comes later is not in it. */
  written(): Written {
    return {
      since: this.since,
      cells: [...this.#fullCells, this.#cells.subarray(0, this.#cell)],
      texts: [...this.#fullTexts, this.#texts.subarray(0, this.#char)],
      words: [...this.#words.keys()],
    };
  }

  /** Copies a text of plain characters; gives how many there were before the first other one. */
  #copy(value: string, from: number): number {
    const texts = this.#texts;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return i;
      texts[from + i] = code;
    }
    return value.length;
  }

  #textRoom(bytes: number): void {
    if (this.#char + bytes <= this.#texts.length) return;
    if (this.#char > 0) this.#fullTexts.push(this.#texts.subarray(0, this.#char));
    const size = Math.max(this.#pieceBytes, bytes);
    this.#texts = Buffer.allocUnsafeSlow(size);
    this.#char = 0;
    this.#bytes += size;
  }
}

/** A place in pieces that are read one after the other. */
class Cursor<P extends { readonly length: number }> {
  readonly #pieces: readonly P[];
  #piece = 0;
  at = 0;

  constructor(pieces: readonly P[]) {
    this.#pieces = pieces.filter(({ length }) => length > 0);
  }

  /** The piece to read from; `undefined`: all is read. */
  get here(): P | undefined {
    if (this.at >= (this.#pieces[this.#piece]?.length ?? 0) && this.#piece < this.#pieces.length) {
      this.#piece += 1;
      this.at = 0;
    }
    return this.#pieces[this.#piece];
  }
}

/** Reads what was written, in the same order. */
export class SegmentReader {
  readonly #cells: Cursor<Float64Array>;
  readonly #texts: Cursor<Buffer>;
  readonly #words: readonly string[];

  constructor({ cells, texts, words }: Written) {
    this.#cells = new Cursor(cells);
    this.#texts = new Cursor(texts);
    this.#words = words;
  }

  get isOver(): boolean {
    return this.#cells.here === undefined;
  }

  next(): number {
    const value = this.#cells.here?.[this.#cells.at] ?? 0;
    this.#cells.at += 1;
    return value;
  }

  word(index: number): string {
    return this.#words[index] ?? '';
  }

  text(): string {
    const { here } = this.#texts;
    if (here === undefined) return '';
    const from = this.#texts.at + 4;
    const to = from + here.readUInt32LE(this.#texts.at);
    this.#texts.at = to;
    return here.toString('utf8', from, to);
  }
}
