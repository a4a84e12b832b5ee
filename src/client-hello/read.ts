/** A ClientHello found in the bytes that a client sends first, without ending its TLS. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { Fields } from './fields.ts';
import { type ClientHello, LEAST_BYTES, parseHello } from './hello.ts';

/** What is known after some bytes. All but `more` are final. */
export type HelloOutcome =
  | { readonly t: 'more' }
  | { readonly t: 'hello'; readonly hello: ClientHello }
  /** This is not TLS. */
  | { readonly t: 'plain' }
  /** This is TLS, and no server could take it; `detail` says why, for people. */
  | { readonly t: 'bad'; readonly detail: string }
  /** The ClientHello says that it is longer than the limit. */
  | { readonly t: 'too-big' };

/** A record's header: its type, its version in two bytes, its length in two (RFC 8446 section 5.1). */
const HEADER_BYTES = 5;
const RECORD_TYPE = 22;
/** RFC 8446 section 5.2. */
const LONGEST_RECORD = 16_384 + 256;

/** What the first bytes of a header may be: a known type (20 to 24), then a version from SSL 3.0 to TLS 1.3. */
const HEADER_BOUNDS: readonly (readonly number[])[] = [
  [20, 24],
  [3, 3],
  [0, 4],
];

/** A message's head: its type, its length in three bytes (RFC 8446 section 4). */
const HEAD_BYTES = 4;
const MESSAGE_TYPE = 1;

const MORE: HelloOutcome = { t: 'more' };
const bad = (detail: string): HelloOutcome => ({ t: 'bad', detail });

/**
 * Reads what a client sends first, in pieces of any size. The outcome does not depend on how the bytes are cut.
 * `plain` is told by the first byte that cannot be TLS, a ClientHello by its last one; what follows is not looked at.
 * Bounds: it holds the message without record headers, at most `maxBytes`, and keeps no piece. Who keeps what came
 * has to bound that too: a record may carry a single byte, six on the wire. Costs O(bytes).
 */
export class HelloReader {
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerSize = 0;
  /** Bytes that the begun record still has to bring. */
  #left = 0;
  #message = new Uint8Array(HEAD_BYTES);
  #size = 0;
  /** Size of the message as far as it is known: of its head, then of all. */
  #wanted = HEAD_BYTES;
  #isFirst = true;
  #outcome = MORE;

  /** `maxBytes`: the longest message that is read, with its head of four bytes. */
  constructor(maxBytes = 65_536) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of memory for the message: at most `maxBytes`, or 4 where that is more; none after a final outcome. */
  get held(): number {
    return this.#message.length;
  }

  /** Reads on. After a final outcome it gives the same one again. */
  push(bytes: Uint8Array): HelloOutcome {
    let at = 0;
    while (this.#outcome === MORE && at < bytes.length) {
      const isHeader = this.#left === 0;
      const length = isHeader ? 1 : Math.min(this.#left, this.#wanted - this.#size);
      const piece = bytes.subarray(at, at + length);
      this.#outcome = isHeader ? this.#onHeader(piece) : this.#onMessage(piece);
      at += piece.length;
    }
    if (this.#outcome !== MORE) this.#message = new Uint8Array(0);
    return this.#outcome;
  }

  /** Takes the next byte of a record's header. */
  #onHeader([byte = 0]: Uint8Array): HelloOutcome {
    const nth = this.#headerSize;
    this.#header[nth] = byte;
    this.#headerSize += 1;
    const [least = 0, most = 255] = HEADER_BOUNDS[nth] ?? [];
    if (byte < least || byte > most)
      return this.#isFirst ? { t: 'plain' } : bad('what follows a record is no record');
    const [type] = this.#header;
    // Only the version tells that the first record is one.
    if (nth === HEADER_BOUNDS.length - 1 && type !== RECORD_TYPE)
      return bad(`a record of type ${type} comes before the end of the ClientHello`);
    return this.#headerSize < HEADER_BYTES ? MORE : this.#onRecord();
  }

  /** Begins with a record's payload. */
  #onRecord(): HelloOutcome {
    const length = new Fields(this.#header.subarray(3)).number(2);
    if (length === 0) return bad('a record is empty');
    if (length > LONGEST_RECORD) return bad(`a record has ${length} bytes`);
    this.#isFirst = false;
    this.#headerSize = 0;
    this.#left = length;
    return MORE;
  }

  /** Takes a piece of the message, which does not go beyond what is wanted. */
  #onMessage(piece: Uint8Array): HelloOutcome {
    const size = this.#size + piece.length;
    if (size > this.#message.length) {
      // Twice as much each time, so that small pieces cost no more; never beyond the message's end.
      const room = Math.min(this.#wanted, Math.max(size, 2 * this.#message.length));
      const grown = new Uint8Array(room);
      grown.set(this.#message);
      this.#message = grown;
    }
    this.#message.set(piece, this.#size);
    this.#size = size;
    this.#left -= piece.length;
    if (size < this.#wanted) return MORE;
    return size === HEAD_BYTES ? this.#onHead() : this.#onWhole();
  }

  #onHead(): HelloOutcome {
    const fields = new Fields(this.#message);
    const type = fields.number(1);
    const length = fields.number(3);
    if (type !== MESSAGE_TYPE) return bad(`a message of type ${type} comes before the ClientHello`);
    if (length < LEAST_BYTES) return bad(`the ClientHello has only ${length} bytes`);
    if (HEAD_BYTES + length > this.#maxBytes) return { t: 'too-big' };
    this.#wanted = HEAD_BYTES + length;
    return MORE;
  }

  #onWhole(): HelloOutcome {
    const hello = parseHello(this.#message.subarray(HEAD_BYTES));
    return isLeft(hello) ? bad(hello.left) : { t: 'hello', hello: hello.right };
  }
}
