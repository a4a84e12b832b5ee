/**
 * What the socket pipe itself costs beside two bare `pipe`s: CPU per message of a ping-pong and per new
 * connection, in alternating rounds of one run. By hand: `node dist/test/bench/duplex.js`, with ROUNDS,
 * COUNT, PARALLEL and IDLE_MS to change it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { makeAddress } from '../../src/address.ts';
import { BufferBudget } from '../../src/duplex/budget.ts';
import { openDuplex } from '../../src/duplex/duplex.ts';
import { fresh } from '../../src/socket/read-ahead.ts';
import { makeSockets, SERVER_OPTIONS } from '../../src/socket/sockets.ts';
import { makeTimers } from '../../src/timers.ts';
import type { Task } from './peer.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const COUNT = Number(process.env['COUNT'] ?? 100_000);
const PARALLEL = Number(process.env['PARALLEL'] ?? 16);
const LOADS: readonly Omit<Task, 'port'>[] = [
  { t: 'requests', count: COUNT, parallel: PARALLEL },
  { t: 'connections', count: COUNT / 20, perSecond: 2_000 },
];
const TICKS_PER_SECOND = 100;
const HOST = '127.0.0.1';

/** A proxy of one server and one endpoint that is nothing but `openDuplex`, with the limits as shipped. */
const serve = (target: number): void => {
  const scheduler: SchedulerLike = {
    now: () => performance.now(),
    schedule: asyncScheduler.schedule.bind(asyncScheduler),
  };
  const timers = makeTimers(scheduler);
  const budget = new BufferBudget(256 * 1024 * 1024, timers);
  const limits = {
    idleTimeoutMs: Number(process.env['IDLE_MS'] ?? Number.POSITIVE_INFINITY),
    lifetimeMs: Number.POSITIVE_INFINITY,
    halfCloseTimeoutMs: 60_000,
    resetLingerMs: 100,
    bufferSizeBytes: 262_144,
    place: 'bench',
  };
  const options = { limits, timers, budget, answered: () => undefined, closed: () => undefined };
  const sockets = makeSockets(timers);
  const address = makeAddress(HOST, target);
  const server = net.createServer(SERVER_OPTIONS);
  server.listen({ host: HOST, port: 0, backlog: 511 }, () => {
    sockets.accept(server, (client) => {
      const endpoint = sockets.dial(address, (code) => {
        if (code !== undefined) throw new Error(code);
        openDuplex(fresh(client), fresh(endpoint), options);
      });
    });
    const listening = server.address();
    process.send?.({ port: typeof listening === 'object' ? listening?.port : undefined });
  });
  process.on('disconnect', () => process.exit());
};

const start = async (file: string, ...args: string[]): Promise<[ChildProcess, number]> => {
  const child = fork(join(import.meta.dirname, file), args);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return [child, message.port];
};

/** CPU seconds that a process has used, user and system. */
const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

type Proxy = readonly [child: ChildProcess, port: number];
type Load = (typeof LOADS)[number];

/** CPU µs per unit of a load through one proxy. */
const measure = async (peer: ChildProcess, proxy: Proxy, load: Load): Promise<number> => {
  const [{ pid = 0 }, port] = proxy;
  const before = cpuSeconds(pid);
  peer.send({ ...load, port });
  const [answer] = (await once(peer, 'message')) as [{ done: boolean; error?: string }];
  if (!answer.done) throw new Error(answer.error);
  return ((cpuSeconds(pid) - before) * 1e6) / load.count;
};

const compare = async (
  peer: ChildProcess,
  [bare, ours]: readonly [Proxy, Proxy],
  load: Load,
): Promise<void> => {
  const costs: [bare: number, ours: number][] = [];
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const odd = round % 2 === 1;
    const first = await measure(peer, odd ? ours : bare, load);
    const second = await measure(peer, odd ? bare : ours, load);
    if (round > 0) costs.push(odd ? [second, first] : [first, second]);
  }
  const piped = median(costs.map(([cost]) => cost)).toFixed(2);
  const joined = median(costs.map(([, cost]) => cost)).toFixed(2);
  const ratio = median(costs.map(([a, b]) => b / a)).toFixed(3);
  console.log(
    `${load.t.padEnd(12)} two pipes ${piped} µs  openDuplex ${joined} µs  ratio ${ratio}`,
  );
};

const run = async (): Promise<void> => {
  const [peer, echo] = await start('peer.js');
  const bare = await start('bare.js', String(echo));
  const ours = await start('duplex.js', String(echo));
  console.log(`CPU per unit, medians of ${ROUNDS} alternating rounds, Node ${process.version}`);
  try {
    for (const load of LOADS) await compare(peer, [bare, ours], load);
  } finally {
    for (const child of [peer, bare[0], ours[0]]) child.kill();
  }
};

const target = process.argv[2];
if (target === undefined) await run();
else serve(Number(target));
