/** A platform whose handles are the test: their system takes as much of a write as it is told, and fails on command. */
import type {
  HandleListener,
  Native,
  StreamHandle,
  TcpHandle,
  WriteRequest,
} from '../../src/socket/native.ts';
import type { TlsHandle } from '../../src/socket/native-tls.ts';

const END_OF_FILE = -4095;
const ECONNRESET = -104;
const ENOTCONN = -107;
const EPIPE = -32;
const ECANCELED = -125;

/** The platform reads one connection so often before it looks at another. */
export const READS_IN_A_ROW = 32;

/** How a handle reads. */
export interface ReadWays {
  readonly inARow: number;
  /** What one read brings at most, whatever there is memory for. */
  readonly most: number;
}

/** Largest read into memory that all share; what is larger is a socket’s own. */
const SHARED_BYTES = 65_536;

interface Late {
  readonly request: WriteRequest;
  /** What the system has not taken, in the memory that it was given. */
  left: Buffer;
  /** How much of it the system has taken. */
  taken: number;
}

/** What all handles have in common: the last read and the last write tell here. */
export class FakeNative implements Native {
  readonly endOfFile = END_OF_FILE;
  read = 0;
  isLate = false;

  makeTcp(): FakeHandle {
    return new FakeHandle(this);
  }

  makeWrite(): WriteRequest {
    return {};
  }

  makeShutdown(): object {
    return {};
  }

  makeConnect(): object {
    return {};
  }

  wrapTls(): TlsHandle {
    throw new Error('it speaks no TLS');
  }

  lastRead(): number {
    return this.read;
  }

  isLastWriteLate(): boolean {
    return this.isLate;
  }
}

/** Close to a handle on Linux: it tells only when it is polled, and a reset right behind a short read as an end. */
export class FakeHandle implements TcpHandle {
  listener?: HandleListener | undefined;
  onread?: (this: StreamHandle) => Buffer | undefined;
  /** Bytes that were read. */
  heard = 0;
  /** Largest read so far. */
  longestRead = 0;
  isClosed = false;
  wasReset = false;
  /** Our end is out. */
  hasEnded = false;
  readonly #native: FakeNative;
  readonly #reads: ReadWays;
  readonly #taken: Buffer[] = [];
  /** What the peer has sent and nobody has read, and what comes behind it: an end, or an error. */
  #wire = Buffer.alloc(0);
  #behind = 0;
  #memory: Buffer | undefined;
  #isReading = false;
  #isEnding = false;
  #isBroken = false;
  #credit = Number.POSITIVE_INFINITY;
  #late: Late[] = [];

  constructor(
    native: FakeNative,
    reads: ReadWays = { inARow: READS_IN_A_ROW, most: Number.MAX_SAFE_INTEGER },
  ) {
    this.#native = native;
    this.#reads = reads;
  }

  /** What its system has taken of what was written. */
  get taken(): Buffer {
    return Buffer.concat(this.#taken);
  }

  /** So much of that is of writes that are not over. */
  get takenInPart(): number {
    return this.#late.reduce((sum, { taken }) => sum + taken, 0);
  }

  get writeQueueSize(): number {
    return this.#late.reduce((sum, { left }) => sum + left.length, 0);
  }

  /** The peer sends bytes. */
  arrive(bytes: Buffer): void {
    this.#wire = Buffer.concat([this.#wire, bytes]);
  }

  /** The peer ends its direction. */
  arriveEnd(): void {
    this.#behind = END_OF_FILE;
  }

  /** The peer resets: reading fails behind what it sent, and writing does. */
  fail(): void {
    this.#behind = ECONNRESET;
    this.#isBroken = true;
  }

  /** From now on writes fail, and nothing but an end comes from the peer. */
  breakWrites(): void {
    this.arriveEnd();
    this.#isBroken = true;
  }

  /** From now on the system takes nothing but what `admit` allows. */
  block(): void {
    if (this.#credit === Number.POSITIVE_INFINITY) this.#credit = 0;
  }

  /** The system takes so many bytes more; `Infinity`: everything, as it does unless blocked. */
  admit(bytes: number): void {
    this.#credit += bytes;
    for (const late of this.#late) {
      const now = this.#take(late.left);
      late.left = late.left.subarray(now);
      late.taken += now;
    }
  }

  /** The platform looks at it once: reads, then tells which writes are over. */
  poll(): void {
    this.#pollReads();
    this.#pollWrites();
  }

  useUserBuffer(memory: Buffer): void {
    this.#memory = memory;
  }

  readStart(): number {
    this.#mustBeOpen();
    this.#isReading = true;
    return 0;
  }

  readStop(): number {
    this.#mustBeOpen();
    this.#isReading = false;
    return 0;
  }

  writeBuffer(request: WriteRequest, bytes: Buffer): number {
    this.#mustBeOpen();
    if (this.#isEnding) throw new Error('written after its end');
    this.#native.isLate = false;
    if (this.#isBroken && this.#late.length === 0) return EPIPE;
    const taken = this.#late.length === 0 ? this.#take(bytes) : 0;
    if (taken === bytes.length) return 0;
    this.#late.push({ request, left: bytes.subarray(taken), taken });
    this.#native.isLate = true;
    return 0;
  }

  shutdown(): number {
    this.#mustBeOpen();
    if (this.#isEnding) throw new Error('ended twice');
    this.#isEnding = true;
    this.hasEnded = this.#late.length === 0;
    return 0;
  }

  close(): void {
    this.#mustBeOpen();
    this.isClosed = true;
    this.#isReading = false;
  }

  reset(): number {
    this.close();
    if (this.#isEnding) throw new Error('reset after its end');
    this.wasReset = true;
    return 0;
  }

  connect(): number {
    return 0;
  }

  connect6(): number {
    return 0;
  }

  getsockname(): number {
    return ENOTCONN;
  }

  getpeername(out: { address?: string; port?: number }): number {
    Object.assign(out, { address: '10.0.0.1', port: 1 });
    return this.#behind === ECONNRESET ? ENOTCONN : 0;
  }

  setNoDelay(): number {
    return 0;
  }

  setKeepAlive(): number {
    return 0;
  }

  #mustBeOpen(): void {
    if (this.isClosed) throw new Error('used after it was closed');
  }

  #take(bytes: Buffer): number {
    if (this.#isBroken) return 0;
    const now = Math.min(bytes.length, this.#credit);
    this.#credit -= now;
    if (now > 0) this.#taken.push(Buffer.from(bytes.subarray(0, now)));
    return now;
  }

  #pollReads(): void {
    const { inARow, most } = this.#reads;
    for (let i = 0; i < inARow && this.#isReading; i++) {
      const memory = this.#memory;
      if (memory === undefined) throw new Error('it reads into nothing');
      const count = this.#wire.copy(memory, 0, 0, most);
      this.#wire = this.#wire.subarray(count);
      if (count > 0) {
        this.heard += count;
        this.longestRead = Math.max(this.longestRead, count);
        this.#tell(count);
        // What is lent is anybody’s when the call is over.
        if (memory.length <= SHARED_BYTES) memory.fill(0xee, 0, count);
        if (count === Math.min(memory.length, most)) continue;
        // A short read says that there is no more: a connection that is gone is told as an end.
        if (this.#behind === ECONNRESET && this.#isReading) this.#tellLast(END_OF_FILE);
      } else if (this.#behind !== 0) this.#tellLast(this.#behind);
      return;
    }
  }

  #tellLast(status: number): void {
    this.#isReading = false;
    this.#tell(status);
  }

  #tell(read: number): void {
    this.#native.read = read;
    this.#memory = this.onread?.() ?? this.#memory;
  }

  #pollWrites(): void {
    while (true) {
      const [first] = this.#late;
      if (first === undefined) break;
      const { request, left } = first;
      const isCut = this.isClosed || this.#isBroken;
      if (left.length > 0 && !isCut) return;
      this.#late.shift();
      const status = this.isClosed ? ECANCELED : EPIPE;
      request.oncomplete?.(left.length === 0 ? 0 : status, this);
    }
    if (this.#isEnding && !this.isClosed && !this.#isBroken) this.hasEnded = true;
  }
}
