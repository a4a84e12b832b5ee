/** Loads measured through contenders in alternating rounds. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Child, waitFor } from './children.ts';
import type { Contender, Recipe } from './contenders.ts';
import { cpuNs } from './machine.ts';
import { type Peer, startPeer } from './peer-process.ts';
import type { Bulk, Connections, Outcome, Paced, Requests } from './task.ts';

/** After a load, until the sockets that it has closed are gone. */
const SETTLE_MS = 50;

/** Rounds of each load in which event loops are watched. */
const MOST_WATCHED = 3;

/** What one load through one contender came to. */
export interface Sample extends Outcome {
  /** CPU time of the contender; `NaN` for a direct connection. */
  readonly cpuNs: number;
}

/** Samples of each round by the contender’s name; the n-th of each are of one round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** A task whose port is still open. */
export type Load =
  | Omit<Bulk, 'port'>
  | Omit<Connections, 'port' | 'sources'>
  | ((Requests | Paced) & {
      /** Over so many connections, which are opened before and closed after. */
      readonly parallel: number;
      readonly tls?: boolean;
    });

const isHeld = (load: Load): load is Extract<Load, { readonly parallel: number }> =>
  'parallel' in load;

/** Performs one task through one contender. What it costs to open connections that stay is not counted. Errors: with its name. */
export const measure = async (peer: Peer, contender: Contender, load: Load): Promise<Sample> => {
  try {
    return await sampleOf(peer, contender, load);
  } catch (error) {
    throw new Error(`${contender.name}: ${error}`);
  }
};

const sampleOf = async (
  peer: Peer,
  { child, port, sources }: Contender,
  load: Load,
): Promise<Sample> => {
  const spent = (): number => (child === undefined ? Number.NaN : cpuNs(child.pid));
  if (isHeld(load)) {
    const { parallel: count, tls = false } = load;
    await peer.perform({ t: 'hold', port, count, tls });
    await pause(SETTLE_MS);
  }
  const before = spent();
  const from = sources === undefined ? {} : { sources };
  const outcome = await peer.perform(isHeld(load) ? load : { ...load, ...from, port });
  await pause(SETTLE_MS);
  const cpu = spent() - before;
  if (isHeld(load)) {
    await peer.perform({ t: 'release' });
    await pause(SETTLE_MS);
  }
  return { ...outcome, cpuNs: cpu };
};

/** What is performed, and how often. */
export interface Comparison {
  readonly load: Load;
  readonly rounds: number;
  /** Connections that each contender serves before: code that is still being compiled costs more than they do. */
  readonly warming?: Pick<Connections, 'count' | 'perSecond'>;
}

const lastLoopLine = (text: string): { readonly ms: number; readonly number: number } => {
  const [, ms, number = 0] = [...text.matchAll(/bench: loop ([\d.]+) ms #(\d+)\n/g)].at(-1) ?? [];
  return { ms: Number(ms), number: Number(number) };
};

/** Has a watched contender begin to look at its event loop, or stop and tell; see `loop-delay.ts`. */
const signalLoop = async (child: Child): Promise<number> => {
  const { number } = lastLoopLine(child.said());
  child.process.kill('SIGUSR2');
  return waitFor(child, () => {
    const line = lastLoopLine(child.said());
    return line.number > number ? line.ms : undefined;
  });
};

/** Notes for how long the event loop of a contender is blocked meanwhile, if it is watched. */
export const watching = async <T>(
  { child, watch }: Contender,
  work: () => Promise<T>,
): Promise<T> => {
  if (child === undefined || watch === undefined) return work();
  await signalLoop(child);
  const done = await work();
  watch.longestMs = Math.max(watch.longestMs, await signalLoop(child));
  return done;
};

/**
 * Performs a task through each contender in each round; the order turns with each round, and the first warms up. Then
 * some rounds in which event loops are watched, of which nothing else is told.
 */
export const compare = async (
  peer: Peer,
  contenders: readonly Contender[],
  { load, rounds, warming }: Comparison,
): Promise<Samples> => {
  if (load.t === 'connections' && warming !== undefined)
    for (const contender of contenders) await measure(peer, contender, { ...load, ...warming });
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) {
      const sample = await measure(peer, contender, load);
      if (round > 0) samples.get(contender.name)?.push(sample);
    }
  }
  const watched = contenders.filter(({ watch }) => watch !== undefined);
  for (let round = 0; round < Math.min(rounds, MOST_WATCHED); round++)
    for (const contender of watched)
      await watching(contender, () => measure(peer, contender, load));
  return samples;
};

/** What a group measures with: a peer, and contenders that are up. */
export interface Ring {
  readonly peer: Peer;
  readonly contenders: readonly Contender[];
}

/** Starts a peer and contenders, hands them over, and ends them; gives how long each watched event loop was blocked. */
export const within = async (
  recipes: readonly Recipe[],
  use: (ring: Ring) => Promise<void>,
  host?: string,
): Promise<ReadonlyMap<string, number>> => {
  const peer = await startPeer(host);
  const contenders: Contender[] = [];
  const blocked = new Map<string, number>();
  try {
    for (const { start } of recipes) contenders.push(await start(peer.port));
    await use({ peer, contenders });
    for (const { name, watch } of contenders)
      if (watch !== undefined) blocked.set(name, watch.longestMs);
  } finally {
    await Promise.all([peer, ...contenders.map(({ child }) => child)].map((one) => one?.end()));
  }
  return blocked;
};
