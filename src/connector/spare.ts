/** Spares: connected sockets that nobody uses yet, watched so that a dead one is never handed out. */
import type { Socket } from 'node:net';

/**
 * Calls `gone` once when the endpoint ends or drops an idle connection; gives the function that stops
 * watching, for the hand-over. What a server that speaks first has said stays in the socket’s buffer, and an
 * end behind it is seen all the same.
 * Order: never synchronously. Owns: nothing; the socket stays the caller’s.
 */
export const watchSpare = (socket: Socket, gone: () => void): (() => void) => {
  let seen = 0;
  const unwatch = (): void => {
    socket.off('end', lost);
    socket.off('close', lost);
    socket.off('readable', look);
  };
  const lost = (): void => {
    unwatch();
    gone();
  };
  const look = (): void => {
    const held = socket.readableLength;
    // Readable, and nothing came: behind what is buffered stands the end.
    if (held === seen) lost();
    seen = held;
  };
  socket.on('end', lost);
  socket.on('close', lost);
  socket.on('readable', look);
  return unwatch;
};
