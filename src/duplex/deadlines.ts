/** The time limits of one stream on one timer that looks at the last byte’s time only when it fires. */
import type { Close, CloseReason } from '../close-reason.ts';
import type { Timer, Timers } from '../timers.ts';
import type { StreamLimits } from './stream.ts';

/** What the limits of a stream need to know and to do. */
export interface DeadlineOptions {
  readonly limits: StreamLimits;
  readonly timers: Timers;
  /** When the stream was opened, on the timers’ clock. */
  readonly openedAt: number;
  /** When a byte last moved in either direction, on the timers’ clock; `-Infinity`: none has. */
  readonly lastMovedAt: () => number;
  /** Called at most once. */
  readonly expired: (close: Close) => void;
}

interface Rule {
  readonly reason: CloseReason;
  readonly ms: number;
  readonly due: number;
}

/**
 * Tells when a stream has been idle, half-closed in silence, or open for too long.
 *
 *   happens  -m--m-------         idle 8 ms: the timer set at 0 looks at 8, finds that
 *   close    ------------(i|)     a byte moved at 4, and looks again at 12
 *
 * Bounds: never early. A byte costs nothing here; a stream without limits sets no timer.
 * Ends: with the first limit that expires, or with `stop`.
 */
export class Deadlines {
  readonly #options: DeadlineOptions;
  readonly #openedAt: number;
  #halfClosedAt: number | undefined;
  #timer: Timer | undefined;

  constructor(options: DeadlineOptions) {
    this.#options = options;
    this.#openedAt = options.openedAt;
    this.#wait();
  }

  /** One side has ended: from now on the silence of the other is limited too. */
  halfClosed(): void {
    const { timers } = this.#options;
    this.#halfClosedAt = timers.now();
    this.#timer?.drop();
    this.#wait();
  }

  stop(): void {
    this.#timer?.drop();
  }

  #wait(): void {
    const { timers } = this.#options;
    this.#timer = timers.after(this.#next().due - timers.now(), this.#look);
  }

  readonly #look = (): void => {
    const { timers, limits, expired } = this.#options;
    const { reason, ms, due } = this.#next();
    if (timers.now() < due) this.#wait();
    else expired({ reason, by: 'proxy', limit: `${Math.round(ms)}ms`, place: limits.place });
  };

  /** The limit that could expire first if no byte moved any more. */
  #next(): Rule {
    const { idleTimeoutMs, lifetimeMs, halfCloseTimeoutMs } = this.#options.limits;
    const quiet = Math.max(this.#openedAt, this.#options.lastMovedAt());
    let next: Rule = { reason: 'lifetime', ms: lifetimeMs, due: this.#openedAt + lifetimeMs };
    const idleDue = quiet + idleTimeoutMs;
    if (idleDue < next.due) next = { reason: 'idle-timeout', ms: idleTimeoutMs, due: idleDue };
    if (this.#halfClosedAt === undefined) return next;
    const halfDue = Math.max(quiet, this.#halfClosedAt) + halfCloseTimeoutMs;
    if (halfDue >= next.due) return next;
    return { reason: 'half-close-timeout', ms: halfCloseTimeoutMs, due: halfDue };
  }
}
