/** The socket pipe: two sockets joined into a stream, from its opening to its one summary. */
import type { Close, Side as SideName } from '../close-reason.ts';
import type { Begun } from '../socket/read-ahead.ts';
import type { Timer, Timers } from '../timers.ts';
import type { BufferBudget } from './budget.ts';
import { Deadlines } from './deadlines.ts';
import { Side, type SideHearer } from './side.ts';
import type { Stream, StreamLimits, Summary } from './stream.ts';

/** What a stream is opened with. */
export interface DuplexOptions {
  readonly limits: StreamLimits;
  readonly timers: Timers;
  readonly budget: BufferBudget;
  /** Called once, at the first byte from the endpoint. */
  readonly answered: () => void;
  /** Called exactly once, when both sockets are closed, and never synchronously by `openDuplex`. */
  readonly closed: (summary: Summary) => void;
}

class Duplex implements Stream, SideHearer {
  readonly #options: DuplexOptions;
  readonly #client: Side;
  readonly #endpoint: Side;
  readonly #openedAt: number;
  #deadlines: Deadlines | undefined;
  #lingering: Timer | undefined;
  #answeredAt: number | undefined;
  /** Who ended, went away or cut first. */
  #first: SideName | undefined;
  /** Why it ended; undefined while it may still end in good order. */
  #close: Close | undefined;
  #isOpening = true;
  #isOver = false;

  constructor(client: Begun, endpoint: Begun, options: DuplexOptions) {
    const { limits, timers, budget } = options;
    this.#options = options;
    this.#openedAt = timers.now();
    const sides = { hearer: this, budget, readBytes: limits.bufferSizeBytes, now: timers.now };
    this.#client = new Side('client', client, sides);
    this.#endpoint = new Side('endpoint', endpoint, sides);
    this.#client.join(this.#endpoint);
    this.#endpoint.join(this.#client);
    if (Math.min(limits.idleTimeoutMs, limits.lifetimeMs) < Number.POSITIVE_INFINITY) this.#watch();
    this.#client.start(client);
    this.#endpoint.start(endpoint);
    this.#isOpening = false;
  }

  get rx(): number {
    return this.#client.moved;
  }

  get tx(): number {
    return this.#endpoint.delivered;
  }

  readonly abort = (close: Close): void => {
    this.#close ??= close;
    this.#first ??= close.by;
    this.#client.close('destroy');
    this.#endpoint.close('destroy');
    this.#finishIfOver();
  };

  began(side: Side): void {
    if (side === this.#client) return;
    this.#answeredAt = this.#options.timers.now();
    this.#options.answered();
  }

  /** The end of one side ends the other, after what that still has to write. */
  ended(side: Side): void {
    this.#first ??= side.name;
    if (side.isGone) this.#finishIfOver();
    else {
      side.other.end();
      if (!this.#endIfBothHave()) this.#watch().halfClosed();
    }
  }

  finished(side: Side): void {
    if (side.isGone) this.#lingerOn(side);
    else this.#endIfBothHave();
  }

  /** A side is gone before its time. What it said is still passed on; then the other side must end too. */
  failed(side: Side, code: string | undefined): void {
    const wasGone = side.isGone;
    side.isGone = true;
    if (!wasGone) {
      this.#first ??= side.name;
      const detail = code === undefined ? {} : { detail: code };
      this.#close ??= { reason: 'reset', by: side.name, ...detail };
      const { other } = side;
      const isLeft = other.socket.isOpen && !other.isGone;
      if (isLeft && side.isOwed(this.#options.limits.resetLingerMs)) this.#linger(other);
      else if (isLeft) other.close('reset');
    }
    this.#finishIfOver();
  }

  #watch(): Deadlines {
    const { limits, timers } = this.#options;
    this.#deadlines ??= new Deadlines({
      limits,
      timers,
      openedAt: this.#openedAt,
      lastMovedAt: () => Math.max(this.#client.progressAt(), this.#endpoint.progressAt()),
      expired: this.abort,
    });
    return this.#deadlines;
  }

  /** Both directions have ended and are out: the stream is over in good order. */
  #endIfBothHave(): boolean {
    const [one, two] = [this.#client, this.#endpoint];
    if (!(one.hasEnded && two.hasEnded && one.hasFinished && two.hasFinished)) return false;
    one.close('destroy');
    two.close('destroy');
    this.#finishIfOver();
    return true;
  }

  /**
   * The other side is gone: lets this one have what it is owed, with an end, and hears it no more. The
   * half-close limit bounds how long it may take no byte, `resetLingerMs` how long the system’s queue counts.
   */
  #linger(side: Side): void {
    side.isGone = true;
    side.discard();
    side.end();
    this.#watch().halfClosed();
    if (side.hasFinished) this.#lingerOn(side);
  }

  #lingerOn(side: Side): void {
    const { limits, timers } = this.#options;
    this.#lingering ??= timers.after(limits.resetLingerMs, () => {
      side.close('destroy');
      this.#finishIfOver();
    });
    this.#finishIfOver();
  }

  /** Tells the end when both sockets are closed, or one is and the other has nothing more to say or to get. */
  #finishIfOver(): void {
    if (this.#isOver) return;
    for (const side of [this.#client, this.#endpoint]) {
      if (!side.socket.isOpen) continue;
      if (!(side.isGone && side.hasEnded && side.hasFinished)) return;
      side.close('destroy');
    }
    this.#isOver = true;
    this.#deadlines?.stop();
    this.#lingering?.drop();
    if (this.#isOpening) this.#options.timers.after(0, () => this.#tell());
    else this.#tell();
  }

  #tell(): void {
    const answeredAt = this.#answeredAt;
    this.#options.closed({
      rx: this.rx,
      tx: this.tx,
      close: this.#close ?? { reason: 'end', by: this.#first ?? 'proxy' },
      ...(answeredAt === undefined ? {} : { answeredAt }),
      endpointFirst: this.#first === 'endpoint',
    });
  }
}

/**
 * Joins a client with an endpoint: bytes, ends and resets of either side travel to the other.
 * Takes open sockets, with what they have said already.
 * Owns: both sockets, from this call until `closed`. Ends: when both are closed; an expired limit and
 * `abort` destroy both at once, with what they still hold.
 * Bytes that come from a side after the other has gone are read, dropped and not counted.
 */
export const openDuplex = (client: Begun, endpoint: Begun, options: DuplexOptions): Stream =>
  new Duplex(client, endpoint, options);
