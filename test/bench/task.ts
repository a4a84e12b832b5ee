/** What the peer process is told to do over IPC, and what it answers. */

/** Of every task: through which port. */
interface Through {
  readonly port: number;
  /** The clients speak TLS; the backends never do. */
  readonly tls?: boolean;
  /** They go on with a session of an earlier connection; otherwise each handshake is a full one. */
  readonly resumes?: boolean;
}

/** Moves bytes one way over so many streams at a time: `up` from client to backend. */
export interface Bulk extends Through {
  readonly t: 'bulk';
  readonly direction: 'up' | 'down';
  /** In all, over all streams. */
  readonly bytes: number;
  readonly streams: number;
}

/** Sends small messages over the connections that are held, each after the echo of the one before. */
export interface Requests {
  readonly t: 'requests';
  readonly count: number;
}

/** The same at a fixed rate of arrivals, whether or not the answers keep up: this is where latency is told. */
export interface Paced {
  readonly t: 'paced';
  readonly count: number;
  readonly perSecond: number;
  /** The first so many are not timed: who has just taken the connections still tidies up. */
  readonly ahead: number;
  /**
   * `single`: each when it is due. The loop never sleeps, and keeps the kernel’s own threads from its CPU: what comes late,
   * comes late by ms, and two equals differ by half. `ticks`: each ms all that is due by then, and the loop sleeps between.
   */
  readonly arrivals: 'single' | 'ticks';
}

/**
 * Opens connections of one message each at a fixed rate, below what either side can do: in a closed loop the slower
 * proxy would also pay for waking its peers, which the faster one leaves no time to sleep.
 */
export interface Connections extends Through {
  readonly t: 'connections';
  readonly count: number;
  readonly perSecond: number;
  /** Each begins with a PROXY header, for so many addresses in turn, see `sourceOf`. */
  readonly sources?: number;
}

/** Opens connections, has each say one message, and keeps them open until `release`. */
export interface Hold extends Through {
  readonly t: 'hold';
  readonly count: number;
}

/** Closes what `hold` has opened. */
export interface Release {
  readonly t: 'release';
}

/** A task for the peer. */
export type Task = Bulk | Requests | Paced | Connections | Hold | Release;

/** What a task came to. */
export interface Outcome {
  /** How long it took. */
  readonly seconds: number;
  /** Of `paced`: from when a message was seen to be due until its echo was there. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** The peer’s messages: first where its backend listens, then one answer to each task. */
export type Answer =
  | { readonly t: 'listening'; readonly port: number }
  | { readonly t: 'done'; readonly outcome: Outcome }
  | { readonly t: 'failed'; readonly error: string };

/** Bytes of a small message. */
export const MESSAGE_BYTES = 100;

/** What the first byte of a connection asks of the backend. */
export const ASK = { echo: 0x78, send: 0x73, sink: 0x6b } as const;

/** Bytes of the first message that asks for bulk: the first byte, and how many bytes to send. */
export const HEAD_BYTES = 9;

/** Bytes of each write of bulk. */
export const PIECE_BYTES = 1 << 20;

/** One of the addresses that connections may be for. */
export const sourceOf = (index: number): string => `10.0.${index >> 8}.${index & 255}`;
