/** Both ends of the bench in one process: an echo server, and clients that are told what to do over IPC. */
import { once } from 'node:events';
import net from 'node:net';

/** What to do, and through which port. */
export interface Task {
  readonly t: 'requests' | 'connections';
  readonly port: number;
  /** How many requests, or connections, in all. */
  readonly count: number;
  /** How many at a time, for requests. */
  readonly parallel?: number;
  /**
   * How many begin in a second, for connections. A fixed rate below what either side can do: in a closed loop the
   * slower proxy would also pay for waking its peers, which the faster one leaves no time to sleep.
   */
  readonly perSecond?: number;
}

/** Between two looks at how many connections are due. */
const TICK_MS = 1;

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

/** Begins connections at an even rate, and waits for the end of all. */
const arrive = (port: number, count: number, perSecond: number): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const begun = performance.now();
    const ended: Promise<void>[] = [];
    const timer = setInterval(() => {
      const due = Math.min(count, Math.ceil(((performance.now() - begun) * perSecond) / 1000));
      while (ended.length < due) ended.push(converse(port, 1));
      if (due < count) return;
      clearInterval(timer);
      Promise.all(ended).then(resolve, reject);
    }, TICK_MS);
  });

const work = async ({ t, port, count, parallel = 1, perSecond = 1 }: Task): Promise<void> => {
  if (t === 'connections') {
    await arrive(port, count, perSecond);
    return;
  }
  const each = Math.floor(count / parallel);
  await Promise.all(Array.from({ length: parallel }, () => converse(port, each)));
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
