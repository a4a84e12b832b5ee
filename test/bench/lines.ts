/** Connections of the peer that are kept: each has had one echo, so that both halves of a proxy’s work are done. */
import type net from 'node:net';
import { open, type Target } from './sockets.ts';
import { ASK, type Hold, MESSAGE_BYTES, type Requests } from './task.ts';

const MESSAGE = Buffer.alloc(MESSAGE_BYTES, ASK.echo);

/** With its header, if it has one, in one write. */
const firstMessage = ({ source, port }: Target): Buffer =>
  source === undefined
    ? MESSAGE
    : Buffer.concat([Buffer.from(`PROXY TCP4 ${source} 127.0.0.1 1024 ${port}\r\n`), MESSAGE]);

/** How many are being opened at a time. */
const OPENING = 64;

/** A connection that says one message at a time and hears its echo. */
export class Line {
  readonly #socket: net.Socket;
  #owed = MESSAGE_BYTES;
  /** Called at each echo. */
  echoed: () => void = () => undefined;
  /** Called at its end, and at its failure. */
  ended: (error?: Error) => void = () => undefined;

  constructor(target: Target) {
    this.#socket = open(target, () => this.#socket.write(firstMessage(target)), this);
    this.#socket.on('error', (error) => this.ended(error));
    this.#socket.on('close', () => this.ended());
  }

  readonly hear = ({ length }: Buffer): void => {
    this.#owed -= length;
    if (this.#owed > 0) return;
    this.#owed = MESSAGE_BYTES;
    this.echoed();
  };

  say(): void {
    this.#socket.write(MESSAGE);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Opens a line; resolves when its first echo was there. */
export const openLine = (target: Target): Promise<Line> =>
  new Promise((resolve, reject) => {
    const line = new Line(target);
    line.echoed = () => resolve(line);
    line.ended = (error) => reject(error ?? new Error('ended early'));
  });

/** See `Hold`. */
export const hold = async (task: Hold): Promise<readonly Line[]> => {
  const held: Line[] = [];
  let begun = 0;
  const openSome = async (): Promise<void> => {
    while (begun < task.count) {
      begun += 1;
      held.push(await openLine(task));
    }
  };
  await Promise.all(Array.from({ length: OPENING }, openSome));
  return held;
};

const converse = (line: Line, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let left = count;
    line.echoed = () => {
      left -= 1;
      if (left === 0) resolve();
      else line.say();
    };
    line.ended = () => reject(new Error('ended early'));
    line.say();
  });

/** See `Requests`. */
export const request = async (task: Requests, lines: readonly Line[]): Promise<void> => {
  const each = Math.floor(task.count / lines.length);
  await Promise.all(lines.map((line) => converse(line, each)));
};
