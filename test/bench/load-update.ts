/** Requests while the set of 10,000 endpoints changes, beside the same requests while it does not. */
import { setTimeout as pause } from 'node:timers/promises';
import { addr, bound, type NamerdDouble, startNamerd } from '../support/namerd-double.ts';
import { bare, type Contender, startDaemon } from './contenders.ts';
import { type Peer, startPeer } from './peer-process.ts';
import { type Group, loopRow, OURS } from './results.ts';
import { measure, type Sample, watching } from './rounds.ts';

const ENDPOINTS = 10_000;
const NAME = '/svc/bench';
const LOAD = {
  t: 'paced',
  count: 6_000,
  ahead: 0,
  parallel: 64,
  perSecond: 3_000,
  arrivals: 'ticks',
} as const;
const UPDATE_MS = 500;

/** What stands in the table: the daemon while nothing changes. */
const QUIET = 'without updates';

/** Two sets of which half is the same, as namerd writes them: addresses of loopback, all of them the peer. */
const setsOf = (port: number): readonly [string, string] => {
  const all = Array.from({ length: 1.5 * ENDPOINTS }, (_, i) =>
    addr(port, `127.1.${i >> 8}.${i & 255}`),
  );
  return [bound(...all.slice(0, ENDPOINTS)), bound(...all.slice(ENDPOINTS / 2))];
};

interface Stage {
  readonly peer: Peer;
  readonly daemon: Contender;
  readonly namerd: NamerdDouble;
  readonly sets: readonly [string, string];
}

const measureChanging = async ({ peer, daemon, namerd, sets }: Stage): Promise<Sample> => {
  let turn = 0;
  const timer = setInterval(() => namerd.set(NAME, sets[++turn % 2] ?? sets[0]), UPDATE_MS);
  try {
    return await measure(peer, daemon, LOAD);
  } finally {
    clearInterval(timer);
  }
};

/** Alternating rounds; the first warms up. */
const alternate = async (stage: Stage, rounds: number) => {
  const quiet: Sample[] = [];
  const changing: Sample[] = [];
  for (let round = 0; round <= rounds; round++) {
    const isFirst = round % 2 === 0;
    const early = isFirst ? await measureChanging(stage) : undefined;
    const still = await measure(stage.peer, stage.daemon, LOAD);
    const late = early ?? (await measureChanging(stage));
    if (round > 0) {
      quiet.push(still);
      changing.push(late);
    }
    await pause(UPDATE_MS);
  }
  return { quiet, changing };
};

/** namerd tells half of the endpoints anew, twice a second. */
export const update: Group = async (plan) => {
  const [peer, namerd] = await Promise.all([startPeer('0.0.0.0'), startNamerd()]);
  const sets = setsOf(peer.port);
  namerd.set(NAME, sets[0]);
  const interpreter = {
    kind: 'io.l5d.namerd.http',
    baseUrl: namerd.baseUrl,
    namespace: 'default',
    periodSecs: 600,
  };
  const daemon = await startDaemon(interpreter);
  // It has nothing to do, and shows how long the machine lets anyone wait.
  const idler = await bare().start(peer.port);
  try {
    // The name is bound and all is warm before the event loop is watched.
    await measure(peer, daemon, LOAD);
    const { quiet, changing } = await watching(daemon, () =>
      watching(idler, () => alternate({ peer, daemon, namerd, sets }, plan.rounds)),
    );
    plan.say('update');
    const row = (quantity: string, unit: string, value: (sample: Sample) => number) => ({
      id: `update/${quantity}`,
      title: `requests while 10,000 endpoints change: ${quantity}`,
      unit,
      values: new Map([
        [OURS, changing.map(value)],
        [QUIET, quiet.map(value)],
      ]),
    });
    return [
      row('p50', 'ms', ({ p50Ms }) => p50Ms ?? Number.NaN),
      row('p99', 'ms', ({ p99Ms }) => p99Ms ?? Number.NaN),
      row('CPU', 'ms', ({ cpuNs }) => cpuNs / 1e6),
      loopRow(
        'update',
        new Map([
          [OURS, daemon.watch?.longestMs ?? Number.NaN],
          [idler.name, idler.watch?.longestMs ?? Number.NaN],
        ]),
      ),
    ];
  } finally {
    await Promise.all([peer.end(), daemon.child.end(), idler.child?.end(), namerd.close()]);
  }
};
