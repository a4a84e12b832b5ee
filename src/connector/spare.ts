/** Spares: connected sockets that nobody uses yet, watched so that a dead one is never handed out. */
import { ReadAhead } from '../socket/read-ahead.ts';
import type { Socket } from '../socket/socket.ts';

/**
 * Watches an idle connection: calls `lost` once when the endpoint ends or drops it, and the socket is closed. What
 * a server that speaks first has said is kept. Owns: the socket, from `begin` until another does.
 */
export class Spare extends ReadAhead {
  readonly #lost: () => void;

  constructor(socket: Socket, lost: () => void) {
    super(socket);
    this.#lost = lost;
  }

  override ended(): void {
    this.socket.destroy();
    this.#lost();
  }

  protected override gone(): void {
    this.#lost();
  }
}
