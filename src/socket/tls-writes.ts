/** What is written to a TLS connection. */
import { type Native, onWritten } from './native.ts';
import type { TlsHandle } from './native-tls.ts';

/** The library takes one write at a time; others come behind it. What it refuses it tells by a status below zero. */
export class TlsWrites {
  /** Bytes that it has not taken. */
  unwritten = 0;
  readonly #tls: TlsHandle;
  readonly #native: Native;
  readonly #waiting: Buffer[] = [];
  #isWriting = false;

  constructor(tls: TlsHandle, native: Native) {
    this.#tls = tls;
    this.#native = native;
  }

  /** As `Socket.write`. */
  push(memory: Buffer, length: number, isOurs: boolean): number {
    const bytes = memory.length === length ? memory : memory.subarray(0, length);
    this.unwritten += length;
    if (!this.#isWriting) return this.#send(bytes);
    this.#waiting.push(isOurs ? bytes : Buffer.from(bytes));
    return 0;
  }

  /** A write of so many bytes is over: the next one begins. */
  done(length: number): number {
    this.#isWriting = false;
    this.unwritten -= length;
    const next = this.#waiting.shift();
    return next === undefined ? 0 : this.#send(next);
  }

  /** Ends the connection, behind what was written. */
  end(): void {
    this.#tls.shutdown(this.#native.makeShutdown());
  }

  /** Nothing of it can be written any more. */
  drop(): void {
    this.unwritten = 0;
    this.#waiting.length = 0;
  }

  #send(bytes: Buffer): number {
    const request = this.#native.makeWrite();
    request.oncomplete = onWritten;
    request.bytes = bytes;
    this.#isWriting = true;
    return this.#tls.writeBuffer(request, bytes);
  }
}
