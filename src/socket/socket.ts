/** A connection as the proxy holds it: one contract, whatever Node shows of the connection below. */
import type { Securing, Terms } from './secure.ts';

/**
 * Hears a socket: its owner, one at a time.
 * Order: `data` in the order of the bytes, then `ended` or `failed`; after `failed` nothing comes any more.
 * All calls may come from inside `read`; none comes after `destroy` or `reset`.
 */
export interface SocketOwner {
  /**
   * The first `length` bytes of `memory` have been read. Unless `isOurs`, the memory is lent for the time
   * of the call only, and the next read of any socket overwrites it.
   */
  readonly data: (memory: Buffer, length: number, isOurs: boolean) => void;
  /** The peer has ended its direction. */
  readonly ended: () => void;
  /** `unwritten` has become less. */
  readonly written: () => void;
  /** All that was written has gone, and the end behind it. */
  readonly finished: () => void;
  /** The connection was reset, or broke, and is closed; what had come before has been told. `code` as in `ECONNRESET`. */
  readonly failed: (code: string | undefined) => void;
}

/** A short read, in bytes: what a socket begins with, and what it is held to while there is little memory. */
export const SHORT_BYTES = 16 * 1024;

/** One connection. Whoever holds it owns it, and must `destroy` or `reset` it in the end unless it fails. */
export interface Socket {
  owner: SocketOwner;
  /** Called once when it closes, whoever closed it: for accounts of descriptors. */
  released: () => void;
  readonly isOpen: boolean;
  /** So many bytes may be unwritten before they are a sign that the system is full. */
  readonly slack: number;
  /** What one read brings at most into what all sockets share, in bytes. */
  readonly fullRead: number;
  /** What one read brings at most now, in bytes; one of that length says that there is more to come. */
  readonly reads: number;
  /** More memory of its own than this, in bytes, makes it no faster. */
  readonly mostMemory: number;
  /** Bytes that were given to `write` and that the system has not taken. */
  readonly unwritten: number;
  /** As `unwritten`, and falls with each byte that the system takes, where that can be seen. */
  readonly queued: number;
  /** Writes fail: all that is written is lost. What the peer had said is still read; then it fails. */
  readonly isBroken: boolean;
  /** The address of our end, `ip:port`, while it is open. A system call. */
  readonly local: () => string | undefined;
  /** Of what its peer has said so many bytes more are kept in its name, or fewer; once it is closed, none are. */
  readonly keep: (bytes: number) => void;
  /** Begins to read, or goes on. */
  readonly read: () => void;
  readonly pause: () => void;
  /**
   * Reads into this memory from now on, which nobody else may touch; or, by a number, up to so many bytes into what
   * all sockets share. `false`: this socket cannot, or not again.
   */
  readonly readInto: (memory: Buffer | number) => boolean;
  /**
   * Writes the first `length` bytes of `memory`. `true`: the system has taken all. `false`: `written` tells; until
   * `unwritten` is 0 memory that `isOurs` must stay as it is. Lent memory is copied.
   */
  readonly write: (memory: Buffer, length: number, isOurs: boolean) => boolean;
  /** Ends this direction after all that was written. `true`: all has gone; `false`: `finished` tells. */
  readonly end: () => boolean;
  /** Closes, with what is still unwritten. */
  readonly destroy: () => void;
  /** Closes with a reset where one can be sent: not after `end`. */
  readonly reset: () => void;
}

/** A TCP connection with nothing on top. */
export interface PlainSocket extends Socket {
  /** The peer’s address, `ip:port`; `undefined`: it has reset already, and has none any more. */
  readonly peer: () => string | undefined;
  /**
   * Begins TLS on it, and gives the function that drops the handshake. Owns: this object is done with; `released` goes
   * on to what comes of it, which is open until `done`, or dropped. Errors: throws where no handshake can be begun, and
   * stays as it was.
   */
  readonly secure: (terms: Terms, securing: Securing) => () => void;
}

const nothing = (): void => undefined;

/** Owns a socket that nobody listens to. */
export const NOBODY: SocketOwner = {
  data: nothing,
  ended: nothing,
  written: nothing,
  finished: nothing,
  failed: nothing,
};
