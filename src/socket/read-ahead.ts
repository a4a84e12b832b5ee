/** A socket that waits to be joined: what its peer says meanwhile is kept, and that it goes is seen. */
import type { Socket, SocketOwner } from './socket.ts';

/** What a waiting peer may say, in bytes, before its reads pause. */
export const AHEAD_BYTES = 16 * 1024;

const NOTHING: readonly Buffer[] = [];

/** A socket with what it has said already. */
export interface Begun {
  readonly socket: Socket;
  /** What was read and not passed on, in order. */
  readonly said: readonly Buffer[];
  /** The peer has ended its direction behind that. */
  readonly hasEnded: boolean;
  /** What it has said is with its next owner, and need not be kept. */
  readonly forget: () => void;
}

const nothing = (): void => undefined;

/** A socket that has said nothing yet. */
export const fresh = (socket: Socket): Begun => ({
  socket,
  said: NOTHING,
  hasEnded: false,
  forget: nothing,
});

/**
 * Owns a socket from `begin` until another does, or until it is gone.
 * Bounds: it reads until it has `most`, and one read may go beyond, a short one where the socket was not read before;
 * the system keeps the rest. A reset behind more than that is seen by whoever reads on.
 */
export abstract class ReadAhead implements Begun, SocketOwner {
  readonly socket: Socket;
  hasEnded = false;
  #said: Buffer[] | undefined;
  #length = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get said(): readonly Buffer[] {
    return this.#said ?? NOTHING;
  }

  forget(): void {
    this.#said = undefined;
    this.#count(0);
  }

  /** `earlier`: what another owner has heard before. */
  begin(earlier?: Begun): void {
    const { socket } = this;
    socket.owner = this;
    if (earlier !== undefined) {
      this.keep(earlier.said);
      this.hasEnded = earlier.hasEnded;
      earlier.forget();
    }
    if (this.#length < this.most) socket.read();
    else socket.pause();
  }

  /** What it may say, in bytes, before its reads pause. */
  protected get most(): number {
    return AHEAD_BYTES;
  }

  /** Keeps this instead of all that was said so far. */
  protected keep(said: readonly Buffer[]): void {
    this.#said = said.length === 0 ? undefined : [...said];
    this.#count(said.reduce((sum, { length }) => sum + length, 0));
  }

  data(memory: Buffer, length: number, isOurs: boolean): void {
    const bytes = memory.subarray(0, length);
    this.#said ??= [];
    this.#said.push(isOurs ? bytes : Buffer.from(bytes));
    this.#count(this.#length + length);
    if (this.#length >= this.most) this.socket.pause();
  }

  ended(): void {
    this.hasEnded = true;
  }

  written(): void {}

  finished(): void {}

  failed(code: string | undefined): void {
    this.gone(code);
  }

  #count(length: number): void {
    this.socket.keep(length - this.#length);
    this.#length = length;
  }

  /** The connection is gone, and its socket closed. */
  protected abstract gone(code: string | undefined): void;
}
