/** The peer as its parent sees it: a process that performs tasks. */
import { join } from 'node:path';
import { type Child, start, toldPort } from './children.ts';
import type { Answer, Outcome, Task } from './task.ts';

const TASK_LIMIT_MS = 120_000;

/** A running peer. */
export interface Peer {
  /** Where its backend listens. */
  readonly port: number;
  /** Errors: rejects when the task failed, or the peer has gone. */
  readonly perform: (task: Task) => Promise<Outcome>;
  readonly end: () => Promise<void>;
}

const nextAnswer = ({ process: child, said }: Child): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error(`the peer ended: ${said()}`));
    const limit = setTimeout(() => reject(new Error('a task takes for ever')), TASK_LIMIT_MS);
    child.once('exit', gone);
    child.once('message', (answer: Answer) => {
      clearTimeout(limit);
      child.off('exit', gone);
      resolve(answer);
    });
  });

/** Starts one whose backend listens on `host`. */
export const startPeer = async (host = '127.0.0.1'): Promise<Peer> => {
  const command = [process.execPath, join(import.meta.dirname, 'peer.js'), host];
  const child = start(command, { ipc: true });
  const port = await toldPort(child);
  const perform = async (task: Task): Promise<Outcome> => {
    const answered = nextAnswer(child);
    child.process.send(task);
    const answer = await answered;
    if (answer.t === 'done') return answer.outcome;
    throw new Error(answer.t === 'failed' ? answer.error : 'an answer out of turn');
  };
  return { port, perform, end: child.end };
};
