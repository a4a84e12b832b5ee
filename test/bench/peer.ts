/** Both ends of the bench in one process: an echo server, and clients that are told what to do over IPC. */
import { once } from 'node:events';
import net from 'node:net';

/** What to do, and through which port. */
export interface Task {
  readonly t: 'requests' | 'connections';
  readonly port: number;
  /** How many requests, or connections, in all. */
  readonly count: number;
  /** How many at a time. */
  readonly parallel: number;
}

const MESSAGE = Buffer.alloc(100, 'x');

/** Sends `count` messages, each after the echo of the one before, and ends the connection. */
const converse = (port: number, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let owed = MESSAGE.length;
    let left = count;
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true }, () =>
      socket.write(MESSAGE),
    );
    socket.on('data', (chunk) => {
      owed -= chunk.length;
      if (owed > 0) return;
      left -= 1;
      if (left === 0) {
        socket.end();
        return;
      }
      owed = MESSAGE.length;
      socket.write(MESSAGE);
    });
    socket.on('error', reject);
    socket.on('close', () => (left === 0 ? resolve() : reject(new Error('ended early'))));
  });

const work = async ({ t, port, count, parallel }: Task): Promise<void> => {
  if (t === 'requests') {
    const each = Math.floor(count / parallel);
    await Promise.all(Array.from({ length: parallel }, () => converse(port, each)));
    return;
  }
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await converse(port, 1);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
};

const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 });
await once(server, 'listening');
const address = server.address();
process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
process.on('message', (task: Task) => {
  work(task).then(
    () => process.send?.({ done: true }),
    (error: unknown) => process.send?.({ done: false, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
