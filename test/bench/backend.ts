/** The backend of the bench: it echoes, or sends or swallows bytes, as the first byte of a connection asks. */
import { once } from 'node:events';
import net from 'node:net';
import { adopt } from './sockets.ts';
import { ASK, PIECE_BYTES } from './task.ts';

const PIECE = Buffer.alloc(PIECE_BYTES, 'b');

/** Writes so many bytes as fast as they are taken, and ends. */
export const pour = (to: net.Socket, bytes: number): void => {
  let left = bytes;
  const write = (): void => {
    while (left > 0 && !to.destroyed) {
      const piece = left < PIECE_BYTES ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      if (!to.write(piece)) return;
    }
    to.end();
    to.off('drain', write);
  };
  to.on('drain', write);
  write();
};

/** A connection of the backend: its first byte says what it is for. */
class Served {
  readonly #socket: net.Socket;
  #use: number | undefined;

  constructor(accepted: net.Socket) {
    this.#socket = adopt(accepted, this);
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('error', () => this.#socket.destroy());
  }

  readonly hear = (bytes: Buffer): void => {
    const isFirst = this.#use === undefined;
    this.#use ??= bytes[0];
    if (this.#use === ASK.echo) this.#socket.write(Buffer.from(bytes));
    else if (isFirst && this.#use === ASK.send)
      pour(this.#socket, Number(bytes.readBigUInt64BE(1)));
  };
}

/** Starts it, and gives its port. */
export const startBackend = async (host: string): Promise<number> => {
  const options = { noDelay: true, allowHalfOpen: true, pauseOnConnect: true };
  const server = net.createServer(options, (socket) => {
    new Served(socket);
  });
  server.listen({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
};
