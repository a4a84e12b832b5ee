/** A plain connection without a system below: a test says what is heard on it, and what becomes of a handshake. */
import type { Securing, Terms } from '../../src/socket/secure.ts';
import { NOBODY, type PlainSocket, type SocketOwner } from '../../src/socket/socket.ts';

const nothing = (): void => undefined;

export class FakePlain implements PlainSocket {
  owner: SocketOwner = NOBODY;
  released: () => void = nothing;
  isOpen = true;
  readonly slack = 0;
  readonly fullRead = 65_536;
  readonly reads = 65_536;
  readonly mostMemory = 0;
  readonly unwritten = 0;
  readonly queued = 0;
  readonly isBroken = false;
  readonly #shake: (done: Securing['done']) => void;

  /** `shake` is given what tells the outcome of a handshake that is begun. */
  constructor(shake: (done: Securing['done']) => void) {
    this.#shake = shake;
  }

  /** Tells its owner, unless it is closed or paused for good. */
  hears(bytes: Buffer): void {
    if (this.isOpen) this.owner.data(bytes, bytes.length, true);
  }

  local(): string {
    return '127.0.0.1:2';
  }

  peer(): string {
    return '127.0.0.1:1';
  }

  secure(_terms: Terms, { done }: Securing): () => void {
    this.#shake(done);
    return () => this.destroy();
  }

  keep(): void {}

  read(): void {}

  pause(): void {}

  readInto(): boolean {
    return false;
  }

  write(): boolean {
    return true;
  }

  end(): boolean {
    return true;
  }

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.released();
  }

  reset(): void {
    this.destroy();
  }
}
