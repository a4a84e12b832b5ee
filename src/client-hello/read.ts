/** A ClientHello read from the bytes of a connection as they come, while they stay whole for whoever ends TLS. Pure. */
import { type ClientHello, parseHello } from './parse.ts';

export type { ClientHello } from './parse.ts';

/** What the bytes so far come to. After anything but `more` the reader is done. */
export type HelloOutcome =
  | { readonly t: 'more' }
  | { readonly t: 'hello'; readonly hello: ClientHello }
  /** It is not TLS, or TLS of the last century. */
  | { readonly t: 'plain' }
  /** It is TLS, and broken. */
  | { readonly t: 'bad'; readonly detail: string }
  | { readonly t: 'too-big' };

const MORE: HelloOutcome = { t: 'more' };
const PLAIN: HelloOutcome = { t: 'plain' };
const bad = (detail: string): HelloOutcome => ({ t: 'bad', detail });

/** Source: RFC 8446 §5.1: a record’s head is its type, a version and its length. */
const RECORD_HEAD = 5;
const HANDSHAKE = 22;
const MAJOR = 3;
/** Of a plaintext record, with what old implementations add. */
const LONGEST_RECORD = 16_384 + 256;
/** Source: RFC 8446 §4: a message’s head is its type and its length. */
const MESSAGE_HEAD = 4;
const CLIENT_HELLO = 1;

/**
 * Reads pieces of any size, across records. Each byte is looked at once, and the message is kept until it is whole.
 * Bounds: it keeps `most` bytes at most.
 */
export class HelloReader {
  readonly #most: number;
  /** The head of the record that comes, as far as it is here. */
  readonly #head: number[] = [];
  /** What is still to come of the record. */
  #left = 0;
  #message = new Uint8Array(512);
  #length = 0;
  #outcome: HelloOutcome = MORE;

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): HelloOutcome {
    let at = 0;
    while (this.#outcome.t === 'more' && at < bytes.length) {
      if (this.#left === 0) {
        this.#readHead(bytes[at] ?? 0);
        at += 1;
      } else {
        const part = bytes.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#readMessage(part);
      }
    }
    return this.#outcome;
  }

  #readHead(byte: number): void {
    const head = this.#head;
    head.push(byte);
    const isFirst = this.#length === 0;
    // The sooner it is known to be something else, the less its server waits.
    if (head.length === 1 && byte !== HANDSHAKE)
      this.#outcome = isFirst ? PLAIN : bad('another record within the ClientHello');
    if (head.length === 2 && byte !== MAJOR)
      this.#outcome = isFirst ? PLAIN : bad('a wrong version');
    if (head.length < RECORD_HEAD) return;
    this.#left = ((head[3] ?? 0) << 8) | byte;
    head.length = 0;
    if (this.#left === 0) this.#outcome = bad('an empty record');
    else if (this.#left > LONGEST_RECORD) this.#outcome = bad(`a record of ${this.#left} bytes`);
  }

  #readMessage(part: Uint8Array): void {
    if (this.#length === 0 && part[0] !== CLIENT_HELLO) {
      this.#outcome = bad('a first message that is no ClientHello');
      return;
    }
    const wanted = this.#wanted();
    if (this.#length + part.length > this.#message.length) this.#grow(part.length);
    this.#message.set(part.subarray(0, this.#message.length - this.#length), this.#length);
    this.#length = Math.min(this.#length + part.length, this.#message.length);
    this.#judge(this.#wanted() ?? wanted);
  }

  #judge(wanted: number | undefined): void {
    if (wanted === undefined) return;
    if (wanted > this.#most) this.#outcome = { t: 'too-big' };
    else if (this.#length >= wanted) {
      const hello = parseHello(this.#message.subarray(MESSAGE_HEAD, wanted));
      this.#outcome = typeof hello === 'string' ? bad(hello) : { t: 'hello', hello };
    }
  }

  /** How long the message is to be; `undefined`: that is not here yet. */
  #wanted(): number | undefined {
    if (this.#length < MESSAGE_HEAD) return undefined;
    const [, high = 0, middle = 0, low = 0] = this.#message;
    return MESSAGE_HEAD + ((high << 16) | (middle << 8) | low);
  }

  /** Twice as much each time, so that each byte is copied about once more. */
  #grow(more: number): void {
    const size = Math.min(this.#most, Math.max(2 * this.#message.length, this.#length + more));
    const message = new Uint8Array(size);
    message.set(this.#message.subarray(0, this.#length));
    this.#message = message;
  }
}
