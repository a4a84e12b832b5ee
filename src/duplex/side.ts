/** One side of a stream: what its socket reads is written to the socket of the other, and counted. */
import type { Side as SideName } from '../close-reason.ts';
import type { Begun } from '../socket/read-ahead.ts';
import { SHORT_BYTES, type Socket, type SocketOwner } from '../socket/socket.ts';
import type { BufferBudget, Leaseholder } from './budget.ts';

/** Hears what changes a stream’s course. */
export interface SideHearer {
  /** The first byte has come, and is not passed on yet. */
  readonly began: (side: Side) => void;
  /** The peer has ended its direction. */
  readonly ended: (side: Side) => void;
  /** Our end is out. */
  readonly finished: (side: Side) => void;
  /** Its socket failed, and is closed. */
  readonly failed: (side: Side, code: string | undefined) => void;
}

/** What both sides of a stream work with. */
export interface SideOptions {
  readonly hearer: SideHearer;
  readonly budget: BufferBudget;
  /** Largest single read, in bytes. */
  readonly readBytes: number;
  readonly now: () => number;
}

/** A read this small, in bytes, is no bulk. */
const QUIET_BYTES = 16 * 1024;

/**
 * Hears one socket, and passes on to the other side’s.
 *
 *   socket ── data ──▶ other.socket.write ──▶ the system     held = what that has not taken yet
 *      ▲                        │
 *      └─ pause when it is late ┘ read again when it is written
 *
 * A side whose reads fill the shared memory leases some of its own, which it writes from without a copy, and
 * reads nothing while that is being written. Owns: its socket, until `failed`, or `close`.
 */
export class Side implements SocketOwner, Leaseholder {
  readonly name: Exclude<SideName, 'proxy'>;
  readonly socket: Socket;
  /** Bytes read. */
  moved = 0;
  slot = -1;
  movedAt = Number.NEGATIVE_INFINITY;
  hasEnded = false;
  /** Our end is out on its socket. */
  hasFinished = false;
  /** It was reset, failed or was cut, or lingers because the other was; what it read has been passed on. */
  isGone = false;
  readonly #options: SideOptions;
  #other: Side | undefined;
  /** Bytes that the other socket has and its system has not. */
  #held = 0;
  /** How many of these stand in the budget. */
  #accounted = 0;
  /** Bytes that can be written no more. */
  #lost = 0;
  #isPaused = false;
  #isDeaf = false;
  #lease: Buffer | undefined;
  /** A read of this length says that there is more. */
  #fullRead: number;
  /** What the other socket had queued at the last look. */
  #queued = 0;

  constructor(name: Side['name'], { socket }: Begun, options: SideOptions) {
    this.name = name;
    this.socket = socket;
    this.#options = options;
    this.#fullRead = Math.min(options.readBytes, socket.reads);
  }

  /** Bytes that the system has taken from the other socket. */
  get delivered(): number {
    return this.moved - this.#held - this.#lost;
  }

  /** The other side; set before anything is read. */
  get other(): Side {
    return this.#other ?? this;
  }

  join(other: Side): void {
    this.#other = other;
  }

  /** Takes the socket over, passes on what it has said already, and reads. */
  start(begun: Begun): void {
    this.socket.owner = this;
    if (this.#fullRead < this.socket.reads) this.#readUpTo(this.#fullRead);
    for (const bytes of begun.said) this.data(bytes, bytes.length, true);
    begun.forget();
    if (begun.hasEnded) this.ended();
    else if (!this.#isPaused) this.socket.read();
  }

  data(memory: Buffer, length: number, isOurs: boolean): void {
    if (this.#isDeaf) return;
    const { hearer, now } = this.#options;
    if (this.moved === 0) hearer.began(this);
    this.moved += length;
    this.movedAt = now();
    const sink = this.other.socket;
    if (!sink.write(memory, length, isOurs)) this.#lag(sink);
    else if (sink.isBroken) this.#lost += length;
    if (this.#options.budget.pressed) this.#shrink();
    else if (length === this.#fullRead) this.#grow();
    else if (this.#lease !== undefined && length < QUIET_BYTES) this.giveLease();
  }

  ended(): void {
    this.hasEnded = true;
    this.giveLease();
    this.#options.hearer.ended(this);
  }

  /** The other direction: this socket’s system has taken bytes. */
  written(): void {
    this.other.#drain(this.socket);
  }

  finished(): void {
    this.hasFinished = true;
    this.#options.hearer.finished(this);
  }

  failed(code: string | undefined): void {
    this.#release();
    this.#options.hearer.failed(this, code);
  }

  /** Ends this socket after what it still holds. */
  end(): void {
    if (this.socket.end()) this.hasFinished = true;
  }

  /** When bytes last moved to the other socket or out of it, as far as can be seen. */
  progressAt(): number {
    if (this.#held > 0) {
      const { queued } = this.other.socket;
      if (queued !== this.#queued) this.movedAt = this.#options.now();
      this.#queued = queued;
    }
    return this.movedAt;
  }

  /** Whether the other side may not have all that this one said: some is held, or went to its system since `recentMs`. */
  isOwed(recentMs: number): boolean {
    return this.#held > 0 || this.#options.now() - this.movedAt < recentMs;
  }

  /** Reads on, but passes nothing on: nobody is left to get it. */
  discard(): void {
    this.#isDeaf = true;
    this.socket.read();
  }

  close(how: 'destroy' | 'reset'): void {
    this.isGone = true;
    this.socket[how]();
    this.#release();
  }

  giveLease(): void {
    const lease = this.#lease;
    // What the other socket still writes from stays as it is.
    if (lease === undefined || this.#held > 0) return;
    this.#lease = undefined;
    const { budget } = this.#options;
    this.#readUpTo(budget.pressed ? SHORT_BYTES : this.socket.fullRead);
    budget.giveBack(lease, this);
  }

  /** Reads so much at once from now on, into shared memory, where the socket can be told. */
  #readUpTo(bytes: number): void {
    const most = Math.min(bytes, this.#options.readBytes, this.socket.fullRead);
    if (this.socket.readInto(most)) this.#fullRead = most;
  }

  /** There is little memory left for all. */
  #shrink(): void {
    if (this.#lease !== undefined) this.giveLease();
    else if (this.#fullRead > SHORT_BYTES) this.#readUpTo(SHORT_BYTES);
  }

  /** There is more than one read brings: short reads, then full ones, then memory of its own. */
  #grow(): void {
    const { readBytes, budget } = this.#options;
    const { fullRead, mostMemory } = this.socket;
    if (this.#fullRead < Math.min(readBytes, fullRead)) {
      this.#readUpTo(fullRead);
      return;
    }
    const most = Math.min(readBytes, mostMemory);
    if (this.#lease !== undefined || most <= fullRead) return;
    const lease = budget.lease(most, this);
    if (lease === undefined) return;
    if (this.socket.readInto(lease)) {
      this.#lease = lease;
      this.#fullRead = lease.length;
      this.#hold(this.#held);
    } else {
      this.#fullRead = Number.POSITIVE_INFINITY;
      budget.giveBack(lease, this);
    }
  }

  /** The other socket did not write everything at once. */
  #lag(sink: Socket): void {
    this.#hold(sink.unwritten);
    this.#queued = sink.queued;
    if (this.#isPaused || (this.#held <= this.#slack(sink) && this.#lease === undefined)) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  /** What may be unwritten before reads pause: nothing between two handles, more where a stream of Node is a side. */
  #slack(sink: Socket): number {
    const slack = Math.max(sink.slack, this.socket.slack);
    return this.#options.budget.pressed ? Math.min(slack, SHORT_BYTES) : slack;
  }

  #drain(sink: Socket): void {
    const before = this.#held;
    this.#hold(sink.unwritten);
    if (sink.isBroken) this.#lost += before - this.#held;
    else if (this.#held < before) this.movedAt = this.#options.now();
    if (this.hasEnded || this.isGone || this.#options.budget.pressed) this.giveLease();
    if (!this.#isPaused || this.#held > (this.#lease === undefined ? this.#slack(sink) / 2 : 0))
      return;
    this.#isPaused = false;
    this.socket.read();
  }

  /** What is held beside a lease is accounted for as the lease. */
  #hold(bytes: number): void {
    const accounted = this.#lease === undefined ? bytes : 0;
    this.#options.budget.held += accounted - this.#accounted;
    this.#accounted = accounted;
    this.#held = bytes;
  }

  /** Its socket is closed: what the other said, and it had still to write, is lost. */
  #release(): void {
    const { other } = this;
    other.#lost += other.#held;
    other.#hold(0);
    other.giveLease();
    this.giveLease();
  }
}
