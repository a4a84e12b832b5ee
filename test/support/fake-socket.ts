/** A socket whose system is the test: it takes as much of a write as it is told, and fails on command. */
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** Close to a TCP socket of Node: it reads ahead until its buffer is full, and keeps what it read when it fails. */
export class FakeSocket extends Socket {
  /** Bytes that the peer sent and Node has read. */
  heard = 0;
  wasReset = false;
  readonly #taken: Buffer[] = [];
  /** What the peer sent and nobody has read; `null` is its end. */
  readonly #wire: (Buffer | null)[] = [];
  #wanted = false;
  #writing: { bytes: Buffer; readonly done: Done } | undefined;
  #credit = Number.POSITIVE_INFINITY;
  #broken = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** What its system has taken of what was written. */
  get taken(): Buffer {
    return Buffer.concat(this.#taken);
  }

  /** The peer sends bytes. */
  arrive(bytes: Buffer): void {
    this.#wire.push(bytes);
    this.#deliver();
  }

  /** The peer ends its direction. */
  arriveEnd(): void {
    this.#wire.push(null);
    this.#deliver();
  }

  /** Reading fails; what nobody has read is lost. */
  fail(): void {
    this.destroy(failure('ECONNRESET'));
  }

  /** From now on each write fails at once. */
  breakWrites(): void {
    this.#broken = true;
  }

  /** From now on the system takes nothing but what `admit` allows. */
  block(): void {
    if (this.#credit === Number.POSITIVE_INFINITY) this.#credit = 0;
  }

  /** The system takes so many bytes more; `Infinity`: everything, as it does unless blocked. */
  admit(bytes: number): void {
    this.#credit += bytes;
    this.#proceed();
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#broken) {
      done(failure('EPIPE'));
      return;
    }
    this.#writing = { bytes: chunk, done };
    this.#proceed();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: Done): void {
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#writing = undefined;
    done(error);
    setImmediate(() => this.emit('close', error !== null));
  }

  override resetAndDestroy(): this {
    this.wasReset = true;
    return this.destroy();
  }

  #deliver(): void {
    while (this.#wanted && !this.destroyed) {
      const next = this.#wire.shift();
      if (next === undefined) return;
      if (next !== null) this.heard += next.length;
      this.#wanted = this.push(next);
    }
  }

  #proceed(): void {
    const { bytes, done } = this.#writing ?? {};
    if (bytes === undefined || done === undefined) return;
    const now = bytes.subarray(0, this.#credit);
    this.#credit -= now.length;
    this.#taken.push(now);
    if (now.length < bytes.length) {
      this.#writing = { bytes: bytes.subarray(now.length), done };
      return;
    }
    this.#writing = undefined;
    done();
  }
}
