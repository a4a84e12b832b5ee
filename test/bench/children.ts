/** The processes of a bench run and its folder. All of them end with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const START_LIMIT_MS = 10_000;
const LOG_CHARACTERS = 500_000;

const running = new Set<ChildProcess>();
let folder: string | undefined;

const endAll = (): void => {
  for (const child of running) child.kill('SIGKILL');
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
};

/** Has everything that is started from here on end with this process. */
export const endTogether = (): void => {
  process.on('exit', endAll);
  for (const signal of SIGNALS) process.on(signal, () => process.exit(130));
};

/** The folder of this run for configurations and certificates. */
export const runFolder = (): string => {
  folder ??= mkdtempSync(join(tmpdir(), 'linkerd-tcp-bench-'));
  return folder;
};

/** A process of the bench. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it wrote on standard error: the beginning and the latest of it. */
  readonly said: () => string;
  /** Ends it and waits until it has gone. */
  readonly end: () => Promise<void>;
}

/** Starts a process; with `ipc` it can be sent messages. */
export const start = (command: readonly string[], { ipc = false } = {}): Child => {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  running.add(child);
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => {
    running.delete(child);
  });
  let [first, latest] = ['', ''];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (first.length < LOG_CHARACTERS) first += text;
    else latest = (latest + text).slice(-LOG_CHARACTERS);
  });
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  return { process: child, pid: child.pid ?? 0, said: () => first + latest, end };
};

/** Waits until `look` finds something. Errors: rejects with what the process said when it ends or takes too long. */
export const waitFor = async <T>(
  child: Child,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> => {
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const { exitCode, signalCode, spawnfile } = child.process;
    if (child.pid === 0 || exitCode !== null || signalCode !== null || performance.now() > limit)
      throw new Error(`${spawnfile} (${exitCode ?? signalCode}): ${child.said()}`);
    await pause(10);
  }
};

/** The port that a process of this folder tells as its first message. */
export const toldPort = (child: Child): Promise<number> => {
  let port: number | undefined;
  child.process.once('message', (message: { readonly port: number }) => {
    port = message.port;
  });
  return waitFor(child, () => port);
};

/** A port of loopback that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
};

/** Whether a port accepts; `undefined` if not. */
export const accepts = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => resolve(undefined));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
