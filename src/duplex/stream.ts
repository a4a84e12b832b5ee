/** The contract between a stream and whoever opens, limits and ends it. */
import type { Close } from '../close-reason.ts';

/** The limits of one stream, fixed when its connection was accepted. `Infinity`: no limit. */
export interface StreamLimits {
  readonly idleTimeoutMs: number;
  /** From its opening; the jitter is in it already. */
  readonly lifetimeMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly resetLingerMs: number;
  readonly bufferSizeBytes: number;
  /** Where the limits are configured, such as `routers[0].servers[1]`. */
  readonly place: string;
}

/** What a stream was, told once, after both its sockets are closed. */
export interface Summary {
  /** Bytes read from the client. */
  readonly rx: number;
  /** Bytes written to the client. */
  readonly tx: number;
  readonly close: Close;
  /** When the first byte came from the endpoint; absent if none came. Same clock as the timers. */
  readonly answeredAt?: number;
  /** The endpoint ended or reset before the client had ended or gone. */
  readonly endpointFirst: boolean;
}

/** A stream that is open. The counters are live. */
export interface Stream {
  readonly rx: number;
  readonly tx: number;
  /** Cuts both sides now with this reason; nothing happens if the stream has ended. */
  readonly abort: (close: Close) => void;
}
