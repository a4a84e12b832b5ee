/** Child processes, ports and folders for tests; everything that is made here ends with its test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

type Undo = () => Promise<void> | void;

/** Where to register what must be undone: the last first. */
export interface Scope {
  readonly after: (undo: Undo) => void;
}

/** A scope that ends with a test (its context `t`), or with the file (`{ after }` of node:test). */
export const makeScope = (owner: { readonly after: (undo: Undo) => void }): Scope => {
  const undos: Undo[] = [];
  owner.after(async () => {
    const errors: unknown[] = [];
    for (const undo of undos.reverse()) {
      try {
        await undo();
      } catch (error) {
        // The rest is to be undone all the same.
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
  return { after: (undo) => undos.push(undo) };
};

const running = new Set<ChildProcess>();

/** The runner stops a file that takes too long by SIGTERM, and then nothing is undone: children go first. */
const dieTogether = (): void => {
  for (const child of running) child.kill('SIGKILL');
  process.exit(1);
};

/** Makes sure that a child does not outlive this process. */
export const tether = <T extends ChildProcess>(child: T): T => {
  if (running.size === 0) process.once('SIGTERM', dieTogether);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('SIGTERM', dieTogether);
  });
  return child;
};

const APT =
  'apt-get install -y redis-server redis-tools nginx postgresql iperf3 haproxy wrk dnsmasq-base';
const { PATH = '' } = process.env;
const FOLDERS = [...PATH.split(delimiter), '/usr/sbin', '/usr/local/sbin'];

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The full path of a program of Debian's. Errors: throws, with the line that installs it. */
export const findProgram = (name: string, ...folders: readonly string[]): string => {
  const found = [...folders, ...FOLDERS].map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) throw new Error(`${name} is missing; install it: ${APT}`);
  return found;
};

/** A folder of the test's own. */
export const temporaryFolder = async (scope: Scope): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'linkerd-tcp-'));
  scope.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** A port of 127.0.0.1 that was free a moment ago, for programs that cannot be told port 0. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

export interface Service {
  readonly port: number;
  /** Ends it and waits until it has gone. */
  readonly kill: () => Promise<void>;
}

export interface ServiceOptions {
  readonly port: number;
  /** What ends it; SIGKILL unless told. */
  readonly signal?: NodeJS.Signals;
}

/** Starts a server that stays in the foreground, and waits until its port accepts. */
export const startService = async (
  scope: Scope,
  [command = '', ...args]: readonly string[],
  { port, signal = 'SIGKILL' }: ServiceOptions,
): Promise<Service> => {
  const child = tether(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await exited;
  };
  scope.after(kill);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${output.join('')}`);
    await pause(20);
  }
  return { port, kill };
};

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Errors: rejects only when it could not start or took over a minute. */
export const runCommand = (
  [command = '', ...args]: readonly string[],
  input = '',
  cwd = '.',
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    // A test runner that believes itself inside of another one runs nothing.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const options = {
      cwd,
      env,
      maxBuffer: 2 ** 26,
      timeout: 60_000,
      killSignal: 'SIGKILL' as const,
    };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (child.exitCode === null) {
        reject(new Error(`${command} did not end by itself: ${error?.message} ${stderr}`));
        return;
      }
      resolve({ code: child.exitCode, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });

/** Runs a program that must succeed, and gives its output. Errors: rejects with what it said. */
export const succeed = async (command: readonly string[], input = ''): Promise<string> => {
  const { code, stdout, stderr } = await runCommand(command, input);
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
};
