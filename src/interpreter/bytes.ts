/** Bytes that arrive in chunks, read back as text: whole, or line by line. Pure. */

const LF = 0x0a;
const FIRST_CAPACITY = 1024;
const NO_BYTES = new Uint8Array(0);

/** Without a BOM, and without blanks around it, such as the CR of a CRLF. */
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();

/**
 * Collects bytes until they are taken as text.
 * Bounds: none of its own; the owner looks at `size`. Costs at most twice what it holds, however small the
 * chunks are.
 */
export class ByteQueue {
  #bytes: Uint8Array = NO_BYTES;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What is held; good until the next `push` or `take`. */
  get held(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  push(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length, FIRST_CAPACITY));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /** Gives all bytes as UTF-8 text, and forgets them. What is no UTF-8 becomes U+FFFD. */
  take(): string {
    const text = decode(this.held);
    this.#bytes = NO_BYTES;
    this.#size = 0;
    return text;
  }
}

/**
 * Cuts bytes into lines at each LF, so that a character split between two chunks is whole again.
 * Blank lines are left out.
 */
export class LineQueue {
  readonly #begun = new ByteQueue();

  /** Bytes of the line that has not ended yet. */
  get size(): number {
    return this.#begun.size;
  }

  /** Takes a chunk, and gives the lines that it completes. */
  push(chunk: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      lines.push(this.#line(chunk.subarray(from, end)));
      from = end + 1;
    }
    if (from < chunk.length) this.#begun.push(chunk.subarray(from));
    return lines.filter((line) => line !== '');
  }

  /** Gives the line that has not ended, and forgets it. */
  rest(): string {
    return this.#begun.take();
  }

  #line(tail: Uint8Array): string {
    if (this.#begun.size === 0) return decode(tail);
    this.#begun.push(tail);
    return this.#begun.take();
  }
}
