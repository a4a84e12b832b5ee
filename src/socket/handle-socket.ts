/** A socket on the platform’s own handle: no stream in between, and one memory for all reads. */
import { getSystemErrorName } from 'node:util';
import type { Bag, Bagged } from '../bag.ts';
import type { Reader } from './fair-reads.ts';
import { Keeper } from './keeper.ts';
import { type Memory, SHARED_BYTES } from './memory.ts';
import {
  type HandleListener,
  localOf,
  onWritten,
  peerOf,
  readInto,
  type TcpHandle,
} from './native.ts';
import type { Securing, Terms } from './secure.ts';
import { NOBODY, type PlainSocket, SHORT_BYTES, type SocketOwner } from './socket.ts';
import { TlsSocket } from './tls-socket.ts';

/** The platform keeps a few bytes for each change of memory until the socket closes. */
const MOST_CHANGES = 64;

const nothing = (): void => undefined;

/** A peer that is gone without a word is found after so long and the system’s probes. */
export const KEEP_ALIVE_SECS = 60;

/**
 * A connection on its handle. Linux only, see `native.ts`.
 * Order: `data`, `ended` and `failed` are never told from inside `read`, nor `written` from inside `write`.
 */
export class HandleSocket extends Keeper implements PlainSocket, HandleListener, Bagged, Reader {
  owner: SocketOwner = NOBODY;
  released: () => void = nothing;
  /** What is not taken at once finds the system full. */
  readonly slack = 0;
  readonly fullRead = SHARED_BYTES;
  readonly mostMemory = 1024 * 1024;
  unwritten = 0;
  slot = -1;
  isBroken = false;
  turn = 0;
  burst = 0;
  isResting = false;
  #handle: TcpHandle | undefined;
  readonly #memory: Memory;
  /** What it reads into; `undefined`: it has not begun to read. */
  #place: Buffer | undefined;
  /** That is memory of its own. */
  #isOwn = false;
  #changes = 0;
  /** Its owner wants to read. */
  #isReading = false;
  /** Dialed ones that have still to be told to probe a silent peer; it leaves them when it closes. */
  #young: Bag<HandleSocket> | undefined;
  /** A dialed one that has written at most once: its first write waits for nothing in any case. */
  #mayDelay = false;
  #hasWritten = false;
  #isEnding = false;
  #hasEnded = false;
  /** Why it is broken. */
  #error = 0;

  constructor(handle: TcpHandle, memory: Memory) {
    super(memory.account);
    handle.listener = this;
    this.#handle = handle;
    this.#memory = memory;
  }

  /** Puts off what a dialed connection is to be told: most are over before it matters. An accepted one has it already. */
  tuneLater(young: Bag<HandleSocket>): void {
    this.#mayDelay = true;
    this.#young = young;
    young.add(this);
  }

  /** Has the system probe a silent peer. */
  keepAlive(): void {
    this.#handle?.setKeepAlive(true, KEEP_ALIVE_SECS);
    this.#young = undefined;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get reads(): number {
    return this.#place?.length ?? SHORT_BYTES;
  }

  get queued(): number {
    return this.#handle?.writeQueueSize ?? 0;
  }

  peer(): string | undefined {
    return this.#handle === undefined ? undefined : peerOf(this.#handle);
  }

  local(): string | undefined {
    return this.#handle === undefined ? undefined : localOf(this.#handle);
  }

  secure(terms: Terms, securing: Securing): () => void {
    const tcp = this.#handle;
    if (tcp === undefined) throw new Error('the connection is closed');
    if (this.#mayDelay) this.#sendAtOnce(tcp);
    if (this.#young?.delete(this) === true) this.keepAlive();
    const parts = { terms, tcp, memory: this.#memory, released: this.released };
    const socket = new TlsSocket(parts, securing);
    this.keepNothing();
    this.#handle = undefined;
    return () => socket.destroy();
  }

  read(): void {
    const handle = this.#handle;
    // Behind an end the platform tells the same end again, each time that it is asked.
    if (handle === undefined || this.#hasEnded) return;
    if (this.#place === undefined) this.readInto(SHORT_BYTES);
    this.#isReading = true;
    if (!this.isResting) handle.readStart();
  }

  pause(): void {
    this.#isReading = false;
    this.#handle?.readStop();
  }

  rested(): void {
    if (this.#isReading && !this.#hasEnded) this.#handle?.readStart();
  }

  readInto(memory: Buffer | number): boolean {
    if (this.#handle === undefined) return false;
    // The way back to the shared memory is always free.
    if (this.#changes >= MOST_CHANGES && !this.#isOwn) return false;
    this.#changes += 1;
    this.#isOwn = typeof memory !== 'number';
    this.#place = typeof memory === 'number' ? this.#memory.view(memory) : memory;
    readInto(this.#handle, this.#place);
    return true;
  }

  write(memory: Buffer, length: number, isOurs: boolean): boolean {
    const handle = this.#handle;
    if (handle === undefined || this.isBroken) return true;
    const shared = this.#memory;
    const copied = isOurs ? undefined : shared.copy(memory, length);
    const bytes = copied ?? (memory.length === length ? memory : memory.subarray(0, length));
    const request = shared.request();
    request.oncomplete = onWritten;
    if (this.#mayDelay && this.#hasWritten) this.#sendAtOnce(handle);
    this.#hasWritten = true;
    const status = handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#breaks(status);
      return true;
    }
    if (!shared.native.isLastWriteLate()) return true;
    request.bytes = bytes;
    shared.keep(copied);
    this.unwritten += length;
    return false;
  }

  end(): boolean {
    if (this.#handle === undefined || this.#isEnding) return true;
    this.#isEnding = true;
    if (!this.isBroken) this.#handle.shutdown(this.#memory.native.makeShutdown());
    return this.unwritten === 0;
  }

  destroy(): void {
    this.#letGo()?.close();
  }

  reset(): void {
    // After an end the platform cannot send a reset, and never closes.
    const handle = this.#letGo();
    if (this.#isEnding || handle?.reset() !== 0) handle?.close();
  }

  heard(): undefined {
    const count = this.#memory.native.lastRead();
    if (count > 0 && this.#place !== undefined) {
      this.#memory.lastReader = this;
      const isFull = count === this.#place.length;
      this.owner.data(this.#place, count, this.#isOwn);
      // Behind less than it could read there is nothing.
      if (isFull && this.#memory.fair.mustRest(this, count)) this.#handle?.readStop();
    } else if (count === this.#memory.native.endOfFile) this.#heardEnd();
    else if (count < 0) this.#fail(getSystemErrorName(count));
  }

  wrote(length: number, status: number): void {
    if (this.#handle === undefined) return;
    this.unwritten -= length;
    if (status !== 0) this.#breaks(status);
    this.owner.written();
    if (this.#isEnding && this.unwritten === 0) this.owner.finished();
  }

  #heardEnd(): void {
    if (this.isBroken) this.#fail(getSystemErrorName(this.#error));
    else if (this.#wasReset()) this.#fail('ECONNRESET');
    else {
      this.#hasEnded = true;
      this.owner.ended();
    }
  }

  /** A reset right behind data is told as an end, in the same breath; but a connection that was reset has no peer. */
  #wasReset(): boolean {
    if (this.#isEnding || this.#memory.lastReader !== this) return false;
    return this.peer() === undefined;
  }

  #sendAtOnce(handle: TcpHandle): void {
    handle.setNoDelay(true);
    this.#mayDelay = false;
  }

  /** What the peer had said before is still to be read; behind it comes an end or an error. */
  #breaks(status: number): void {
    this.isBroken = true;
    if (this.#error === 0) this.#error = status;
    // One that has ended tells nothing more, unless it is asked.
    if (this.#hasEnded) this.#handle?.readStart();
  }

  #fail(code: string): void {
    this.#letGo()?.close();
    this.owner.failed(code);
  }

  /** The handle, which is to be closed now. */
  #letGo(): TcpHandle | undefined {
    const handle = this.#handle;
    if (handle === undefined) return undefined;
    handle.listener = undefined;
    this.keepNothing();
    this.#handle = undefined;
    this.unwritten = 0;
    this.#young?.delete(this);
    if (this.#memory.lastReader === this) this.#memory.lastReader = undefined;
    this.released();
    return handle;
  }
}
