/** TLS on the platform’s own handles: no stream in between, and records put together before they are passed on. */
import { getSystemErrorName } from 'node:util';
import { codeOf } from '../listen-error.ts';
import type { Reader } from './fair-reads.ts';
import { type Memory, SHARED_BYTES } from './memory.ts';
import { localOf, readInto, type TcpHandle } from './native.ts';
import type { TlsListener } from './native-tls.ts';
import { RECORD_BYTES, Records, type Tell } from './records.ts';
import { CLOSED, type Handshake, type SecureSocket, type Securing, type Terms } from './secure.ts';
import { NOBODY, type SocketOwner } from './socket.ts';
import { dress, NOT_OURS, TlsFacts, UNRECOGNIZED_NAME } from './tls-handle.ts';
import { TlsWrites } from './tls-writes.ts';

/** The platform keeps a few bytes for each change of memory that `heard` does not give, until the socket closes. */
const MOST_CHANGES = 64;

/** Writes finish later, however soon. */
const SLACK_BYTES = 64 * 1024;

/** What a record takes, in bytes of plain reads that take as much: some for each, and more for each byte. */
const effortOf = (length: number): number => RECORD_BYTES + 2 * length;

/** What a connection is secured with, and on. */
export interface TlsParts {
  readonly terms: Terms;
  readonly memory: Memory;
  /** Owned by the TLS socket from now on; nothing is being written to it. */
  readonly tcp: TcpHandle;
  /** As of a socket: what the peer has said already may close it before anybody has it. */
  readonly released: () => void;
}

/** A connection from the begin of its handshake; until `done` is told the outcome only `destroy` may be called. */
export class TlsSocket extends TlsFacts implements SecureSocket, TlsListener, Reader {
  owner: SocketOwner = NOBODY;
  released: () => void;
  readonly slack = SLACK_BYTES;
  readonly fullRead = RECORD_BYTES;
  readonly reads = RECORD_BYTES;
  /** What one read of the connection below brings, twice over: more is out of the nearer caches before it is written. */
  readonly mostMemory = 128 * 1024;
  isBroken = false;
  turn = 0;
  burst = 0;
  isResting = false;
  #changes = 0;
  readonly #memory: Memory;
  readonly #records: Records;
  readonly #writes: TlsWrites;
  #tcp: TcpHandle | undefined;
  /** While it shakes hands. */
  #done: Securing['done'] | undefined;
  #isEnding = false;
  #hasEnded = false;
  #errorCode: string | undefined;

  /** Errors: throws if no handshake can be begun; the handle is the caller’s then. */
  constructor({ terms, memory, tcp, released }: TlsParts, { said, done }: Securing) {
    const tls = memory.native.wrapTls(tcp, terms.context, terms.side === 'server');
    super(tls, terms, memory.account);
    this.released = released;
    this.#memory = memory;
    this.#done = done;
    const shared = memory.view(SHARED_BYTES);
    const tell: Tell = (...piece) => this.owner.data(...piece);
    const keep = (bytes: number): void => this.keep(bytes);
    this.#records = new Records({ tell, keep, soon: memory.soon, shared });
    this.#writes = new TlsWrites(tls, memory.native);
    this.#tcp = tcp;
    // The platform keeps the lower one while it is open, and that one ours.
    tcp.listener = this;
    tls.listener = this;
    readInto(tls, shared);
    dress(tls, terms);
    for (const bytes of said) tls.receive(bytes);
    tls.readStart();
    if (terms.side === 'client') tls.start();
  }

  get isOpen(): boolean {
    return this.#tcp !== undefined;
  }

  get unwritten(): number {
    return this.#writes.unwritten;
  }

  get queued(): number {
    return Math.min(this.unwritten, this.#tcp?.writeQueueSize ?? 0);
  }

  local(): string | undefined {
    return this.#tcp === undefined ? undefined : localOf(this.#tcp);
  }

  read(): void {
    if (this.#tcp === undefined) return;
    this.#records.flow();
    this.rested();
  }

  rested(): void {
    if (this.#tcp === undefined || this.isResting) return;
    if (!this.#hasEnded && this.#records.isFlowing) this.tls.readStart();
  }

  pause(): void {
    this.#records.pause();
    if (this.#tcp !== undefined) this.tls.readStop();
  }

  readInto(memory: Buffer | number): boolean {
    // The way back to the shared memory is always free.
    if (this.#changes >= MOST_CHANGES && typeof memory !== 'number') return false;
    const next = this.#records.lease(typeof memory === 'number' ? undefined : memory);
    if (next === undefined || this.#tcp === undefined) return true;
    this.#changes += 1;
    readInto(this.tls, next);
    return true;
  }

  write(memory: Buffer, length: number, isOurs: boolean): boolean {
    if (this.#tcp === undefined || this.isBroken) return true;
    this.#began(this.#writes.push(memory, length, isOurs));
    return this.unwritten === 0;
  }

  end(): boolean {
    if (this.#tcp === undefined || this.#isEnding) return true;
    this.#isEnding = true;
    // What is still being written would be cut off by the end.
    if (this.unwritten > 0) return false;
    this.#shutDown();
    return true;
  }

  destroy(): void {
    this.#done = undefined;
    this.#letGo()?.close();
  }

  reset(): void {
    const tcp = this.#letGo();
    if (this.#isEnding || tcp?.reset() !== 0) tcp?.close();
  }

  heard(): Buffer | undefined {
    const { native } = this.#memory;
    const count = native.lastRead();
    if (count > 0) {
      const place = this.#records.take(count);
      const mustRest = this.#memory.fair.mustRest(this, effortOf(count));
      if (mustRest && this.#tcp !== undefined) this.tls.readStop();
      return place;
    }
    if (count === native.endOfFile) this.#heardEnd();
    else if (count < 0) this.#fail(getSystemErrorName(count));
    return undefined;
  }

  wrote(length: number, status: number): void {
    if (this.#tcp === undefined) return;
    if (status !== 0) this.#breaks(status);
    else this.#began(this.#writes.done(length));
    this.owner.written();
    if (!this.#isEnding || this.unwritten > 0) return;
    this.#shutDown();
    this.owner.finished();
  }

  shaken(): void {
    this.#outcome({ t: 'secured', socket: this });
  }

  broke(error: Error): void {
    this.#fail(codeOf(error));
  }

  asked(name: string | undefined): void {
    if (this.answers(name)) return;
    // Nothing is encrypted yet, so the alert goes out as it is.
    this.#tcp?.writeBuffer(this.#memory.native.makeWrite(), UNRECOGNIZED_NAME);
    this.#fail(NOT_OURS);
  }

  #outcome(handshake: Handshake): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(handshake);
  }

  #began(status: number): void {
    if (status !== 0) this.#breaks(status);
  }

  #shutDown(): void {
    if (!this.isBroken) this.#writes.end();
  }

  #heardEnd(): void {
    // A peer that ends before the handshake is over has given up.
    if (this.#done !== undefined) this.#fail(CLOSED);
    else if (this.#errorCode !== undefined) this.#fail(this.#errorCode);
    else {
      this.#hasEnded = true;
      this.#records.end(() => this.owner.ended());
    }
  }

  /** What the peer had said before is still to be read; behind it comes an end or an error. */
  #breaks(status: number): void {
    const code = getSystemErrorName(status);
    this.isBroken = true;
    this.#errorCode ??= code;
    this.#writes.drop();
    // One that has ended tells nothing more.
    if (this.#hasEnded) this.#memory.soon(() => this.#fail(code));
  }

  /** It is over; what had come before is told first, to whoever reads. */
  #fail(code: string): void {
    if (this.#done === undefined) {
      this.isBroken = true;
      this.#records.end(() => {
        this.#letGo()?.close();
        this.owner.failed(code);
      });
      return;
    }
    this.#letGo()?.close();
    this.#memory.soon(() => this.#outcome({ t: 'failed', code }));
  }

  /** The TCP handle, which is to be closed now. */
  #letGo(): TcpHandle | undefined {
    const tcp = this.#tcp;
    if (tcp === undefined) return undefined;
    this.keepNothing();
    this.#tcp = undefined;
    this.#writes.drop();
    this.#records.stop();
    tcp.listener = undefined;
    this.tls.listener = undefined;
    // Not now: this may be called from within the library.
    this.#memory.soon(() => this.tls.destroySSL());
    this.released();
    return tcp;
  }
}
