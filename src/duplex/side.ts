/** One side of a stream: what its socket reads is written to the socket of the other, and counted. */
import type { Side as SideName } from '../close-reason.ts';
import type { Begun } from '../socket/read-ahead.ts';
import { SHORT_BYTES, type Socket, type SocketOwner } from '../socket/socket.ts';
import { Intake, type IntakeOptions } from './intake.ts';

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
export interface SideOptions extends IntakeOptions {
  readonly hearer: SideHearer;
  readonly now: () => number;
}

/**
 * Hears one socket, and passes on to the other side’s.
 *
 *   socket ── data ──▶ other.socket.write ──▶ the system     held = what that has not taken yet
 *      ▲                        │
 *      └─ pause when it is late ┘ read again when it is written
 *
 * A side that has leased memory writes from it without a copy, and reads nothing while that is being written.
 * Owns: its socket, until `failed`, or `close`.
 */
export class Side extends Intake implements SocketOwner {
  readonly name: Exclude<SideName, 'proxy'>;
  /** Bytes read. */
  moved = 0;
  hasEnded = false;
  /** Our end is out on its socket. */
  hasFinished = false;
  /** It was reset, failed or was cut, or lingers because the other was; what it read has been passed on. */
  isGone = false;
  readonly #options: SideOptions;
  #other: Side | undefined;
  /** Bytes that can be written no more. */
  #lost = 0;
  #isPaused = false;
  #isDeaf = false;
  /** What the other socket had queued at the last look. */
  #queued = 0;

  constructor(name: Side['name'], { socket }: Begun, options: SideOptions) {
    super(socket, options);
    this.name = name;
    this.#options = options;
  }

  /** Bytes that the system has taken from the other socket. */
  get delivered(): number {
    return this.moved - this.held - this.#lost;
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
    this.limitReads();
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
    this.adapt(length);
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
    if (this.held > 0) {
      const { queued } = this.other.socket;
      if (queued !== this.#queued) this.movedAt = this.#options.now();
      this.#queued = queued;
    }
    return this.movedAt;
  }

  /** Whether the other side may not have all that this one said: some is held, or went to its system since `recentMs`. */
  isOwed(recentMs: number): boolean {
    return this.held > 0 || this.#options.now() - this.movedAt < recentMs;
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

  /** The other socket did not write everything at once. */
  #lag(sink: Socket): void {
    this.hold(sink.unwritten);
    this.#queued = sink.queued;
    if (this.#isPaused || (this.held <= this.#slack(sink) && !this.isLeasing)) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  /** What may be unwritten before reads pause: nothing between two handles, more where a stream of Node is a side. */
  #slack(sink: Socket): number {
    const slack = Math.max(sink.slack, this.socket.slack);
    return this.#options.budget.pressed ? Math.min(slack, SHORT_BYTES) : slack;
  }

  #drain(sink: Socket): void {
    const before = this.held;
    this.hold(sink.unwritten);
    if (sink.isBroken) this.#lost += before - this.held;
    else if (this.held < before) this.movedAt = this.#options.now();
    if (this.hasEnded || this.isGone || this.#options.budget.pressed) this.giveLease();
    if (!this.#isPaused || this.held > (this.isLeasing ? 0 : this.#slack(sink) / 2)) return;
    this.#isPaused = false;
    this.socket.read();
  }

  /** Its socket is closed: what the other said, and it had still to write, is lost. */
  #release(): void {
    const { other } = this;
    other.#lost += other.held;
    other.hold(0);
    other.giveLease();
    this.giveLease();
  }
}
