/**
 * What a small request and a new connection cost in CPU, beside a bare Node program with two pipes: both
 * on this machine, in alternating rounds of one run. Prints medians and their ratios.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from './peer.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const TICKS_PER_SECOND = 100;

interface Proxy {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
}

interface Load {
  readonly name: string;
  readonly task: Omit<Task, 'port'>;
}

const LOADS: readonly Load[] = [
  { name: 'small request', task: { t: 'requests', count: 64_000, parallel: 64 } },
  { name: 'new connection', task: { t: 'connections', count: 4_000, perSecond: 2_000 } },
];

const start = async (file: string, ...args: string[]): Promise<[ChildProcess, number]> => {
  const child = fork(join(import.meta.dirname, file), args);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return [child, message.port];
};

/** Starts the daemon with its log, metrics and limits as shipped. */
const startDaemon = async (folder: string, target: number): Promise<[ChildProcess, number]> => {
  const file = join(folder, 'bench.yaml');
  writeFileSync(
    file,
    `admin: { port: 0 }
routers:
  - label: bench
    interpreter: { kind: static, names: { /svc/echo: ["127.0.0.1:${target}"] } }
    servers: [{ port: 0, dstName: /svc/echo }]
`,
  );
  const main = join(import.meta.dirname, '..', '..', 'src', 'main.js');
  const child = spawn(process.execPath, [main, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stderr.on('data', (chunk) => {
      // After the start its log is read and dropped.
      if (seen.length > 100_000) return;
      seen += String(chunk);
      const port = /listening .*srv=127\.0\.0\.1:(\d+)/.exec(seen)?.[1];
      if (port !== undefined) resolve([child, Number(port)]);
    });
    child.on('exit', () => reject(new Error(`the daemon did not start: ${seen}`)));
  });
};

/** CPU seconds that a process has used, user and system. */
const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** CPU µs per unit of one load through one proxy. */
const measure = async (
  peer: ChildProcess,
  { pid, port }: Proxy,
  { task }: Load,
): Promise<number> => {
  const before = cpuSeconds(pid);
  peer.send({ ...task, port });
  const [answer] = (await once(peer, 'message')) as [{ done: boolean; error?: string }];
  if (!answer.done) throw new Error(answer.error);
  return ((cpuSeconds(pid) - before) * 1e6) / task.count;
};

const compare = async (
  peer: ChildProcess,
  proxies: readonly Proxy[],
  load: Load,
): Promise<void> => {
  const costs = new Map<string, number[]>(proxies.map(({ name }) => [name, []]));
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const order = round % 2 === 0 ? proxies : [...proxies].reverse();
    for (const proxy of order) {
      const cost = await measure(peer, proxy, load);
      if (round > 0) costs.get(proxy.name)?.push(cost);
    }
  }
  const medians = proxies.map(({ name }) => median(costs.get(name) ?? []));
  const [bare = Number.NaN, ours = Number.NaN] = medians;
  console.log(
    `${load.name.padEnd(16)} bare ${bare.toFixed(1)} µs  linkerd-tcp ${ours.toFixed(1)} µs  ratio ${(ours / bare).toFixed(2)}`,
  );
};

const folder = mkdtempSync(join(tmpdir(), 'linkerd-tcp-bench-'));
const [peer, echo] = await start('peer.js');
const [bare, barePort] = await start('bare.js', String(echo));
const [daemon, daemonPort] = await startDaemon(folder, echo);
try {
  const proxies = [
    { name: 'bare', pid: bare.pid ?? 0, port: barePort },
    { name: 'linkerd-tcp', pid: daemon.pid ?? 0, port: daemonPort },
  ];
  console.log(`CPU per unit, medians of ${ROUNDS} alternating rounds, Node ${process.version}`);
  for (const load of LOADS) await compare(peer, proxies, load);
} finally {
  for (const child of [peer, bare, daemon]) child.kill();
  rmSync(folder, { recursive: true });
}
