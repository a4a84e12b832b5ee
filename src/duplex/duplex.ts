/** The socket pipe: two sockets joined into a stream, from its opening to its one summary. */
import type { Socket } from 'node:net';
import type { Close, Side } from '../close-reason.ts';
import type { Timer, Timers } from '../timers.ts';
import type { BufferBudget } from './budget.ts';
import { Deadlines } from './deadlines.ts';
import { Direction } from './direction.ts';
import { resetSocket } from './reset.ts';
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

/** One of the two sockets. */
interface End {
  readonly side: Exclude<Side, 'proxy'>;
  readonly socket: Socket;
  /** It was reset, failed or was cut; what it read has been passed on. */
  gone: boolean;
  closed: boolean;
}

/** What went wrong with a socket: `ECONNRESET`. */
const detailOf = ({ errored }: Socket): Pick<Close, 'detail'> => {
  if (errored === null) return {};
  const named = 'code' in errored && typeof errored.code === 'string';
  return { detail: named ? String(errored.code) : errored.message };
};

const ignore = (): void => undefined;

/**
 * The platform keeps a closed socket until its next full collection. Without its listeners it keeps only
 * itself, and not the whole stream: that saves a fifth of what a short connection costs.
 */
const forsake = (socket: Socket): void => {
  socket.removeAllListeners();
  socket.on('error', ignore);
};

class Duplex implements Stream {
  readonly #options: DuplexOptions;
  readonly #client: End;
  readonly #endpoint: End;
  /** From the client to the endpoint. */
  readonly #up: Direction;
  /** From the endpoint to the client. */
  readonly #down: Direction;
  readonly #deadlines: Deadlines;
  #lingering: Timer | undefined;
  #answeredAt: number | undefined;
  /** Who ended, went away or cut first. */
  #first: Side | undefined;
  /** Why it ended; undefined while it may still end in good order. */
  #close: Close | undefined;

  constructor(client: Socket, endpoint: Socket, options: DuplexOptions) {
    const { limits, timers } = options;
    this.#options = options;
    this.#client = { side: 'client', socket: client, gone: false, closed: false };
    this.#endpoint = { side: 'endpoint', socket: endpoint, gone: false, closed: false };
    this.#up = this.#direct(this.#client, this.#endpoint, () => undefined);
    this.#down = this.#direct(this.#endpoint, this.#client, () => {
      this.#answeredAt = timers.now();
      options.answered();
    });
    this.#deadlines = new Deadlines({
      limits,
      timers,
      lastMovedAt: () => Math.max(this.#up.movedAt, this.#down.movedAt),
      expired: (close) => this.abort(close),
    });
    this.#attend(this.#client);
    this.#attend(this.#endpoint);
    this.#up.start();
    this.#down.start();
  }

  get rx(): number {
    return this.#up.moved;
  }

  get tx(): number {
    return this.#down.delivered;
  }

  abort(close: Close): void {
    this.#first ??= 'proxy';
    this.#close ??= close;
    for (const end of [this.#client, this.#endpoint]) {
      end.gone = true;
      end.socket.destroy();
    }
  }

  #direct(from: End, to: End, began: () => void): Direction {
    const { limits, budget, timers } = this.#options;
    return new Direction({
      source: from.socket,
      sink: to.socket,
      limitBytes: limits.bufferSizeBytes,
      budget,
      now: timers.now,
      began,
      ended: () => {
        this.#first ??= from.side;
        this.#deadlines.halfClosed();
      },
    });
  }

  /** The error listener stays for good, since a socket may fail until it is closed. */
  #attend(end: End): void {
    const { socket } = end;
    socket.on('error', () => this.#goes(end));
    socket.on('close', () => this.#closes(end));
    // It may have told its close before, and would not tell it again.
    if (socket.destroyed) this.#options.timers.after(0, () => this.#closes(end));
  }

  #otherOf(end: End): End {
    return end === this.#client ? this.#endpoint : this.#client;
  }

  /** A side is gone before its time. What it said is still passed on; then the other side must end too. */
  #goes(end: End): void {
    if (end.gone) return;
    end.gone = true;
    this.#first ??= end.side;
    this.#close ??= { reason: 'reset', by: end.side, ...detailOf(end.socket) };
    const towards = end === this.#client ? this.#up : this.#down;
    const other = this.#otherOf(end);
    towards.salvage();
    if (other.socket.destroyed) return;
    if (towards.owes(this.#options.limits.resetLingerMs)) this.#linger(other);
    else {
      other.gone = true;
      resetSocket(other.socket);
    }
  }

  /**
   * The other side is gone: lets this one have what it is owed, with an end, and hears it no more. The
   * half-close limit bounds how long it may take no byte, `resetLingerMs` how long the system’s queue counts.
   */
  #linger(end: End): void {
    const { limits, timers } = this.#options;
    const { socket } = end;
    const back = end === this.#client ? this.#up : this.#down;
    const wait = (): void => {
      this.#lingering = timers.after(limits.resetLingerMs, () => socket.destroy());
    };
    end.gone = true;
    back.discard();
    socket.end();
    this.#deadlines.halfClosed();
    if (socket.writableFinished) wait();
    else socket.once('finish', wait);
  }

  #closes(end: End): void {
    if (end.closed) return;
    end.closed = true;
    const [from, into] = end === this.#client ? [this.#up, this.#down] : [this.#down, this.#up];
    const inOrder = from.ended && end.socket.writableFinished;
    if (!inOrder) this.#goes(end);
    into.release();
    if (this.#otherOf(end).closed) this.#finish();
  }

  #finish(): void {
    this.#deadlines.stop();
    this.#lingering?.drop();
    for (const { socket } of [this.#client, this.#endpoint]) forsake(socket);
    const close = this.#close ?? { reason: 'end', by: this.#first ?? 'proxy' };
    const answeredAt = this.#answeredAt;
    this.#options.closed({
      rx: this.rx,
      tx: this.tx,
      close,
      ...(answeredAt === undefined ? {} : { answeredAt }),
      endpointFirst: this.#first === 'endpoint',
    });
  }
}

/**
 * Joins a client with an endpoint: bytes, ends and resets of either side travel to the other.
 * Takes sockets, plain or TLS, that were made with `allowHalfOpen`; either may have ended or failed already.
 * Owns: both sockets, from this call until `closed`. Ends: when both are closed; an expired limit and
 * `abort` destroy both at once, with what they still hold.
 * Bytes that come from a side after the other has gone are read, dropped and not counted.
 */
export const openDuplex = (client: Socket, endpoint: Socket, options: DuplexOptions): Stream =>
  new Duplex(client, endpoint, options);
