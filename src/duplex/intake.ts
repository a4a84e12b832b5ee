/** How much one direction of a stream reads at once, and what it holds of that. */
import { SHORT_BYTES, type Socket } from '../socket/socket.ts';
import type { BufferBudget, Leaseholder } from './budget.ts';

/** What a direction keeps to. */
export interface IntakeOptions {
  readonly budget: BufferBudget;
  /** Largest single read, in bytes. */
  readonly readBytes: number;
}

/** A read this small, in bytes, is no bulk. */
const QUIET_BYTES = 16 * 1024;

/**
 * Reads are short at first; who fills them has full ones into the memory that all share, and who fills these leases
 * some of its own, until it falls quiet or memory grows short.
 */
export abstract class Intake implements Leaseholder {
  readonly socket: Socket;
  slot = -1;
  movedAt = Number.NEGATIVE_INFINITY;
  readonly #options: IntakeOptions;
  #held = 0;
  /** How many of these stand in the budget. */
  #accounted = 0;
  #lease: Buffer | undefined;
  /** A read of this length says that there is more. */
  #fullRead: number;

  constructor(socket: Socket, options: IntakeOptions) {
    this.socket = socket;
    this.#options = options;
    this.#fullRead = Math.min(options.readBytes, socket.reads);
  }

  /** Bytes that were read, and that the other socket has and its system has not. */
  protected get held(): number {
    return this.#held;
  }

  protected get isLeasing(): boolean {
    return this.#lease !== undefined;
  }

  giveLease(): void {
    const lease = this.#lease;
    // What the other socket still writes from stays as it is.
    if (lease === undefined || this.#held > 0) return;
    const { budget } = this.#options;
    this.#lease = undefined;
    this.#readUpTo(budget.pressed ? SHORT_BYTES : this.socket.fullRead);
    budget.giveBack(lease, this);
  }

  /** Keeps the first reads as short as the config says. */
  protected limitReads(): void {
    if (this.#fullRead < this.socket.reads) this.#readUpTo(this.#fullRead);
  }

  /** What is held beside a lease is accounted for as the lease. */
  protected hold(bytes: number): void {
    const accounted = this.#lease === undefined ? bytes : 0;
    this.#options.budget.held += accounted - this.#accounted;
    this.#accounted = accounted;
    this.#held = bytes;
    if (bytes === 0 && this.#lease !== undefined && this.slot < 0) this.#options.budget.watch(this);
  }

  /** So much was read, and is passed on. */
  protected adapt(length: number): void {
    if (this.#options.budget.pressed) this.#shrink();
    else if (length === this.#fullRead) this.#grow();
    else if (this.#lease !== undefined && length < QUIET_BYTES) this.giveLease();
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
      this.hold(this.#held);
    } else {
      this.#fullRead = Number.POSITIVE_INFINITY;
      budget.giveBack(lease, this);
    }
  }
}
