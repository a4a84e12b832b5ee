/**
 * Both ends of the bench in one process: a backend, and clients that are told what to do over IPC.
 * `node peer.js [HOST]`, where HOST is what the backend listens on.
 */
import { startBackend } from './backend.ts';
import { arrive, moveAll } from './clients.ts';
import { hold, type Line, request } from './lines.ts';
import { pace } from './paced.ts';
import type { Answer, Outcome, Task } from './task.ts';

let held: readonly Line[] = [];

const release = (): void => {
  for (const line of held) {
    line.ended = () => undefined;
    line.end();
  }
  held = [];
};

const perform = async (task: Task): Promise<Omit<Outcome, 'seconds'>> => {
  switch (task.t) {
    case 'bulk':
      await moveAll(task);
      return {};
    case 'requests':
      await request(task, held);
      return {};
    case 'paced':
      return pace(task, held);
    case 'connections':
      await arrive(task);
      return {};
    case 'hold':
      held = await hold(task);
      return {};
    default:
      release();
      return {};
  }
};

const send = (answer: Answer): void => {
  process.send?.(answer);
};

process.on('message', (task: Task) => {
  const from = performance.now();
  perform(task).then(
    (rest) => send({ t: 'done', outcome: { seconds: (performance.now() - from) / 1000, ...rest } }),
    (error: unknown) => send({ t: 'failed', error: `${task.t}: ${String(error)}` }),
  );
});
process.on('disconnect', () => process.exit());
send({ t: 'listening', port: await startBackend(process.argv[2] ?? '127.0.0.1') });
