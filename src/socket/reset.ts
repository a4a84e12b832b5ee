/** How a reset is passed on, whatever the socket is made of. */
import type { Socket } from 'node:net';
import { transportOf } from './native.ts';

/**
 * Resets a connection and destroys its socket with what it still held; where no reset can be sent, it
 * is only closed: after `end()`, over a Unix socket, and over TLS that shows no TCP socket.
 * Order: `close` follows, never synchronously.
 * Source: on Node 20 `resetAndDestroy` after `end()` never closes the socket.
 */
export const resetSocket = (socket: Socket): void => {
  const transport = transportOf(socket);
  if (socket.writableEnded || transport === undefined || transport.destroyed) {
    socket.destroy();
    return;
  }
  try {
    transport.resetAndDestroy();
  } catch {
    // It throws on what is not TCP.
    socket.destroy();
  }
};
