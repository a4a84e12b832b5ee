/** The built daemon as a child process: started on a config, watched by its log, ended with its test. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RouterView } from '../../src/view.ts';
import { within } from './eventually.ts';
import { ask, type HttpAnswer } from './http.ts';
import { type Scope, temporaryFolder, tether } from './process.ts';
import { assertReplays } from './replayed.ts';

const MAIN = join(import.meta.dirname, '../../src/main.js');

/** A line of the daemon's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly addr?: string;
  readonly rt?: string;
  readonly srv?: string;
  readonly dst?: string;
  /** Why a connection ended, with the rule that fired. */
  readonly reason?: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Daemon {
  readonly pid: number;
  /** `http://127.0.0.1:port` of the admin server. */
  readonly admin: string;
  /** Ports of the servers, in the order in which they said that they listen. */
  readonly ports: readonly number[];
  readonly exit: () => Promise<Exit>;
  /** Everything that it logged so far. */
  readonly log: readonly LogLine[];
  readonly signal: (name: NodeJS.Signals) => void;
  /** Writes another config in place of the one it runs on; nothing is reloaded by that. */
  readonly rewrite: (config: object | string) => Promise<void>;
  /** The first line, among those yet to come and those from index `from` on, that matches. */
  readonly logged: (matches: (line: LogLine) => boolean, from?: number) => Promise<LogLine>;
  readonly get: (path: string) => Promise<HttpAnswer>;
  readonly post: (path: string) => Promise<HttpAnswer>;
  readonly routers: () => Promise<readonly RouterView[]>;
  /** The sum of all series of a metric whose line contains each of `labels`. */
  readonly metric: (name: string, ...labels: readonly string[]) => Promise<number>;
  /** Open descriptors, by what they are: `socket`, `pipe`, `file`. */
  readonly descriptors: () => number;
}

export interface DaemonOptions {
  /** Shell text in front of `exec node …`, such as `ulimit -n 256;`. */
  readonly before?: string;
  /** A command of linkerd-tcp instead of its routers. */
  readonly command?: 'namerd';
}

/** Fills in what every test wants: an admin server on any port, a log that can be read, and a recorder. */
const completed = (config: object | string, command: DaemonOptions['command']): string =>
  typeof config === 'string'
    ? config
    : JSON.stringify({
        admin: { port: 0 },
        log: { level: 'info', format: 'json' },
        ...(command === undefined ? { recorder: {} } : {}),
        ...config,
      });

/** A line of either format; one that is neither is a message without a level. */
const parseLine = (line: string): LogLine => {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    const [, level = 'none', rest = line] = /^\S+Z (error|warn|info|debug) (.*)$/.exec(line) ?? [];
    const fields = [...rest.matchAll(/ (\w+)=(\S+)/g)].map(([, key, value]) => [key, value]);
    return { level, message: rest.replace(/ \w+=.*$/, ''), ...Object.fromEntries(fields) };
  }
};

/** Runs the command line to its end, without waiting for anything to listen. */
export const launch = (args: readonly string[], before = '') => {
  const command = ['-c', `${before} exec "$0" "$@"`, process.execPath, MAIN, ...args];
  const child = tether(spawn('sh', command, { stdio: ['pipe', 'pipe', 'pipe'] }));
  const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
  return { child, exited };
};

/** Runs a command of linkerd-tcp to its end; gives all that it wrote, in order. */
export const runCommand = async (
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string }> => {
  const { child, exited } = launch(args);
  const out: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => out.push(text));
  const [{ code }] = await Promise.all([exited, once(child.stdout, 'close')]);
  return { code, out: out.join('') };
};

const sumOf = (text: string, name: string, labels: readonly string[]): number =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

/** What a daemon says while it runs, and how to wait for it. */
const listen = ({ child, exited }: ReturnType<typeof launch>) => {
  const log: LogLine[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  createInterface(child.stderr).on('line', (line) => {
    log.push(parseLine(line));
    news.emit('line');
  });
  child.stdout.resume();
  let gone: Exit | undefined;
  exited.then((exit) => {
    gone = exit;
    news.emit('line');
  });
  const search = async (matches: (line: LogLine) => boolean, from: number): Promise<LogLine> => {
    for (;;) {
      const found = log.slice(from).find(matches);
      if (found !== undefined) return found;
      if (gone !== undefined)
        throw new Error(`the daemon ended (${gone.code ?? gone.signal}):\n${tail(log)}`);
      await once(news, 'line');
    }
  };
  const logged: Daemon['logged'] = (matches, from = 0) =>
    within('a line of the log', search(matches, from));
  return { log, logged };
};

const tail = (log: readonly LogLine[]): string =>
  log
    .slice(-20)
    .map((line) => JSON.stringify(line))
    .join('\n');

const portOf = (address = ''): number => Number(address.split(':').at(-1));

const countServers = (config: object | string): number => {
  if (typeof config === 'string') return 1;
  const { routers = [] } = config as { routers?: readonly { servers?: readonly unknown[] }[] };
  return routers.reduce((sum, { servers = [] }) => sum + servers.length, 0);
};

const isListening = ({ message }: LogLine): boolean => message === 'listening';
const isAdminListening = ({ message }: LogLine): boolean => message === 'admin listening';

/**
 * Starts the daemon on a config and waits until the admin server and all servers listen.
 * An object is written as JSON, with `admin.port` 0 and a JSON log unless it says otherwise; a text as it is.
 */
export const startDaemon = async (
  scope: Scope,
  config: object | string,
  { before = '', command }: DaemonOptions = {},
): Promise<Daemon> => {
  const path = join(await temporaryFolder(scope), 'config');
  const rewrite = (next: object | string): Promise<void> =>
    writeFile(path, completed(next, command));
  await rewrite(config);
  const running = launch(command === undefined ? [path] : [command, path], before);
  const { child, exited } = running;
  scope.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const { log, logged } = listen(running);
  // Before it is killed: what comes later is done first.
  scope.after(() => assertReplays(admin));
  const admin = `http://127.0.0.1:${portOf((await logged(isAdminListening)).addr)}`;
  const wanted = countServers(config);
  await logged(() => log.filter(isListening).length >= wanted);
  const pid = child.pid ?? 0;
  const get: Daemon['get'] = (target) => ask(`${admin}${target}`);
  return {
    pid,
    admin,
    ports: log.filter(isListening).map((line) => portOf(line.srv)),
    exit: () => within('the end of the daemon', exited),
    log,
    logged,
    rewrite,
    get,
    signal: (name) => child.kill(name),
    post: (target) => ask(`${admin}${target}`, { method: 'POST' }),
    routers: async () => JSON.parse((await get('/routers.json')).body),
    metric: async (name, ...labels) => sumOf((await get('/metrics')).body, name, labels),
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
  };
};
