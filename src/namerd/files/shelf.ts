/** What is known of the texts of a folder, and what the log was told of them. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { Log } from '../../log.ts';
import type { Found, Signature } from './disk.ts';
import { readStamped } from './stamp.ts';

/** What a text means, and its version. */
export interface Kept<T> {
  readonly value: T;
  readonly version: Uint8Array;
}

/** Makes sense of a text; what is wrong with it in words. */
export type Parse<T> = (text: string) => Either<string, T>;

interface Entry<T> {
  readonly signature: Signature;
  /** The last good one. */
  readonly kept?: Kept<T> | undefined;
}

/** What is known, by name. */
export class Shelf<T> {
  readonly #parse: Parse<T>;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #told = new Map<string, string>();
  #values: ReadonlyMap<string, Kept<T>> | undefined;

  constructor(parse: Parse<T>, log: Log) {
    this.#parse = parse;
    this.#log = log;
  }

  /** All that make sense. Another map only if something changed. */
  get values(): ReadonlyMap<string, Kept<T>> {
    this.#values ??= new Map(
      [...this.#entries].flatMap(([name, { kept }]) => (kept === undefined ? [] : [[name, kept]])),
    );
    return this.#values;
  }

  /** The names of all files, also of those that never made sense. */
  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** What a file was when it was read last. */
  signatureOf(name: string): Signature | undefined {
    return this.#entries.get(name)?.signature;
  }

  /** Takes what was found of a file; `undefined`: it is gone. What makes no sense leaves the last good one in force. */
  adopt(name: string, found: Found | undefined): void {
    const before = this.#entries.get(name);
    if (found === undefined) {
      this.#told.delete(name);
      if (this.#entries.delete(name)) this.#values = undefined;
      return;
    }
    const { content, signature } = found;
    if (before?.signature === signature) return;
    const { text, version } = readStamped(content);
    const parsed = this.#parse(text);
    if (isLeft(parsed)) {
      this.#entries.set(name, { signature, kept: before?.kept });
      this.complain(name, parsed.left);
      return;
    }
    this.#entries.set(name, { signature, kept: { value: parsed.right, version } });
    this.#values = undefined;
    this.complain(name, undefined);
  }

  /** Tells the log what is wrong with a file, once, and when it is well again. The empty name: with the folder. */
  complain(name: string, cause: string | undefined): void {
    const told = this.#told.get(name);
    if (told === cause) return;
    const field = name === '' ? {} : { namespace: name };
    if (cause === undefined) {
      this.#told.delete(name);
      this.#log('info', 'stored dtabs can be read again', field);
      return;
    }
    this.#told.set(name, cause);
    this.#log('warn', 'a stored dtab cannot be read, what is known is kept', { ...field, cause });
  }
}
