/** What the peer does through connections that do not stay: bulk, and connections of one message. */
import type net from 'node:net';
import { pour } from './backend.ts';
import { Line } from './lines.ts';
import { open, type Target } from './sockets.ts';
import { ASK, type Bulk, type Connections, HEAD_BYTES, sourceOf } from './task.ts';

/** Between two looks at how many connections are due. */
const TICK_MS = 1;

/** Connections for others so far: the next task goes on where the last one stopped. */
let turn = 0;

/** Opens a connection, ends it after the first echo, and waits until it is closed. */
const visit = (target: Target): Promise<void> =>
  new Promise((resolve, reject) => {
    let isEchoed = false;
    const line = new Line(target);
    line.echoed = () => {
      isEchoed = true;
      line.end();
    };
    line.ended = (error) =>
      isEchoed && error === undefined ? resolve() : reject(error ?? new Error('ended early'));
  });

/** See `Connections`. */
export const arrive = (task: Connections): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const begun = performance.now();
    const ended: Promise<void>[] = [];
    const { sources } = task;
    const next = (): Promise<void> =>
      visit(sources === undefined ? task : { ...task, source: sourceOf(turn++ % sources) });
    const timer = setInterval(() => {
      const passed = performance.now() - begun;
      const due = Math.min(task.count, Math.ceil((passed * task.perSecond) / 1000));
      while (ended.length < due) ended.push(next());
      if (due < task.count) return;
      clearInterval(timer);
      Promise.all(ended).then(resolve, reject);
    }, TICK_MS);
  });

const head = (ask: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(HEAD_BYTES, ask);
  buffer.writeBigUInt64BE(BigInt(bytes), 1);
  return buffer;
};

/** One stream of bulk; resolves when the last byte is known to be there. */
const move = (task: Bulk, bytes: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let got = 0;
    const isUp = task.direction === 'up';
    const begin = (socket: net.Socket): void => {
      socket.write(head(isUp ? ASK.sink : ASK.send, bytes));
      if (isUp) pour(socket, bytes);
    };
    const hear = ({ length }: Buffer): void => {
      got += length;
    };
    const socket = open(task, begin, { hear });
    socket.on('error', reject);
    socket.on('close', () => {
      if (isUp || got === bytes) resolve();
      else reject(new Error(`${got} of ${bytes} bytes came`));
    });
  });

/** See `Bulk`. */
export const moveAll = async (task: Bulk): Promise<void> => {
  const each = Math.floor(task.bytes / task.streams);
  await Promise.all(Array.from({ length: task.streams }, () => move(task, each)));
};
