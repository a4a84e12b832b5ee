/** Bytes read from front to back as TLS writes them (RFC 8446 section 3). Pure. */

const NO_BYTES = new Uint8Array(0);

/**
 * Reads numbers and vectors, big-endian, one after the other. Where bytes are missing a read gives 0 or no bytes,
 * and so do all reads after it: look at `isWhole` at the end, not at each step.
 */
export class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;
  #isShort = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Whether no read was short of bytes, and none are left. */
  get isWhole(): boolean {
    return !this.#isShort && this.left === 0;
  }

  /** A number of `size` bytes, at most 3. */
  number(size: 1 | 2 | 3): number {
    return this.take(size).reduce((high, low) => high * 256 + low, 0);
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    if (length > this.left) {
      this.#isShort = true;
      this.#at = this.#bytes.length;
      return NO_BYTES;
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** The bytes of a vector: a length of `size` bytes, then as many bytes, as a view. */
  vector(size: 1 | 2 | 3): Uint8Array {
    return this.take(this.number(size));
  }
}

/**
 * The items of a list: a length in bytes, itself of `size` bytes, then items up to it and nothing more. There may
 * be none. `undefined`: the lengths do not add up. `item` must read at least one byte.
 */
export const itemsOf = <A>(
  bytes: Uint8Array,
  size: 1 | 2,
  item: (fields: Fields) => A,
): readonly A[] | undefined => {
  const list = new Fields(bytes);
  const fields = new Fields(list.vector(size));
  const items: A[] = [];
  while (fields.left > 0) items.push(item(fields));
  return list.isWhole && fields.isWhole ? items : undefined;
};
