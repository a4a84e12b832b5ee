/** Small requests over connections that stay: what each costs in a closed loop, and how long it takes at a fixed rate. */
import { bare, linkerdTcp, type Recipe } from './contenders.ts';
import { haproxy, nginx } from './peers.ts';
import {
  AGAIN,
  type Group,
  loopRow,
  makeRow,
  medianOf,
  OURS,
  type Plan,
  type Row,
} from './results.ts';
import { compare, type Ring, within } from './rounds.ts';

/** How many connections, and how many requests make a sample. */
const SIZES: readonly (readonly [connections: number, count: number])[] = [
  [1, 8_000],
  [64, 25_600],
  [512, 25_600],
];

/** How much of what the slower side can do is asked of both when latency is taken. */
const SHARE = 0.5;

/** Those that are timed, after those that are not. */
const PACED_SECONDS = 2;
const AHEAD_SECONDS = 0.5;

/** Least rounds of it: two equals come out alike only over many. */
const PACED_ROUNDS = 11;

const recipes = ({ peers }: Plan): readonly Recipe[] => [
  bare(),
  linkerdTcp(),
  ...(peers.has('haproxy') ? [haproxy(), haproxy({ name: AGAIN })] : []),
  ...(peers.has('nginx') ? [nginx()] : []),
];

const closedLoop = async (
  { peer, contenders }: Ring,
  [parallel, count]: (typeof SIZES)[number],
  rounds: number,
): Promise<readonly Row[]> => {
  const single = contenders.filter(({ name }) => name !== AGAIN);
  const samples = await compare(peer, single, { load: { t: 'requests', count, parallel }, rounds });
  const id = `requests/${parallel}`;
  const name = `requests, ${parallel} open`;
  return [
    makeRow(
      { id: `${id}/cpu`, title: `${name}: CPU each`, unit: 'µs' },
      samples,
      ({ cpuNs }) => cpuNs / 1e3 / count,
    ),
    makeRow(
      { id: `${id}/rate`, title: `${name}: most per second`, unit: '/s' },
      samples,
      ({ seconds }) => count / seconds,
    ),
  ];
};

/** At half of what the slower of ours and the peer can do; without a peer, of ours and the bare pipe. */
const paced = async (
  { peer, contenders }: Ring,
  rate: Row,
  { parallel, rounds }: { readonly parallel: number; readonly rounds: number },
): Promise<readonly Row[]> => {
  const other = rate.values.has('haproxy') ? 'haproxy' : 'bare pipe';
  const perSecond = Math.round(SHARE * Math.min(medianOf(rate, OURS), medianOf(rate, other)));
  const ahead = Math.round(perSecond * AHEAD_SECONDS);
  const count = ahead + Math.max(1_000, Math.round(perSecond * PACED_SECONDS));
  const samples = await compare(peer, contenders, {
    load: { t: 'paced', count, ahead, parallel, perSecond, arrivals: 'ticks' },
    rounds: Math.max(rounds, PACED_ROUNDS),
  });
  const id = `requests/${parallel}`;
  const name = `requests, ${parallel} open, ${perSecond} per second`;
  return [
    makeRow(
      { id: `${id}/p50`, title: `${name}: p50`, unit: 'ms' },
      samples,
      ({ p50Ms }) => p50Ms ?? Number.NaN,
    ),
    makeRow(
      { id: `${id}/p99`, title: `${name}: p99`, unit: 'ms' },
      samples,
      ({ p99Ms }) => p99Ms ?? Number.NaN,
    ),
  ];
};

/** 1, 64 and 512 connections. */
export const requests: Group = async (plan) => {
  const { rounds } = plan;
  const rows: Row[] = [];
  const blocked = await within(recipes(plan), async (ring) => {
    for (const size of SIZES) {
      const found = await closedLoop(ring, size, rounds);
      const rate = found.find(({ id }) => id.endsWith('/rate'));
      rows.push(...found);
      if (rate !== undefined)
        rows.push(...(await paced(ring, rate, { parallel: size[0], rounds })));
      plan.say(`requests, ${size[0]} open`);
    }
  });
  return [...rows, loopRow('requests', blocked)];
};
