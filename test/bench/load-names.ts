/** What many names and many endpoints cost: connections and decisions with 10,000 of them beside the same with 10. */
import { linkerdTcp, type Recipe } from './contenders.ts';
import { measureWork, useChoose, useNames, type Work } from './decisions.ts';
import { type Group, loopRow, makeRow, OURS, type Row } from './results.ts';
import { compare, type Sample, within } from './rounds.ts';
import { sourceOf } from './task.ts';

const MANY = 10_000;
const FEW = 10;
const TEN = 'ten of them';

/** Connections before those that are measured, to each of the names: what is new costs more than what is known. */
const WARMING = { count: 12_000, perSecond: 800 };

const LOAD = { t: 'connections', count: 2_000, perSecond: 1_000 } as const;

/** The backend has all the addresses of loopback. */
const ANY = '0.0.0.0';

const SIZES = [
  [TEN, FEW],
  [OURS, MANY],
] as const;

type Size = (typeof SIZES)[number];

const countTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const byName = ([name, count]: Size): Recipe =>
  linkerdTcp({ name, sources: count }, (port) =>
    Object.fromEntries(countTo(count).map((i) => [`/svc/${sourceOf(i)}`, [`127.0.0.1:${port}`]])),
  );

const byEndpoint = ([name, count]: Size): Recipe =>
  linkerdTcp({ name }, (port) => ({
    '/svc/bench': countTo(count).map((i) => `127.1.${i >> 8}.${i & 255}:${port}`),
  }));

/** Connections through both sizes. */
const churn = async (
  recipes: readonly Recipe[],
  head: { readonly id: string; readonly title: string },
  rounds: number,
): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const blocked = await within(
    recipes,
    async ({ peer, contenders }) => {
      const samples = await compare(peer, contenders, { load: LOAD, rounds, warming: WARMING });
      const each = ({ cpuNs }: Sample): number => cpuNs / 1e3 / LOAD.count;
      rows.push(makeRow({ ...head, unit: 'µs' }, samples, each));
    },
    ANY,
  );
  return [...rows, loopRow(head.id, blocked)];
};

/** Decisions in memory. */
const decide = (
  make: (count: number) => Work,
  head: { readonly id: string; readonly title: string },
  rounds: number,
): Row => {
  const costs = measureWork(
    SIZES.map(([, count]) => make(count)),
    rounds,
  );
  return { ...head, unit: 'ns', values: new Map(SIZES.map(([name], i) => [name, costs[i] ?? []])) };
};

/** Names first, then endpoints of one name. */
export const names: Group = async ({ rounds, say }) => {
  const rows: Row[] = [];
  const ofNames = { id: 'names/connection', title: 'new connections to 10,000 names: CPU each' };
  rows.push(...(await churn(SIZES.map(byName), ofNames, rounds)));
  say('names');
  const ofOne = {
    id: 'endpoints/connection',
    title: 'new connections to 10,000 endpoints: CPU each',
  };
  rows.push(...(await churn(SIZES.map(byEndpoint), ofOne, rounds)));
  say('endpoints');
  const way = { id: 'names/decision', title: 'way to one of 10,000 names, and to its endpoint' };
  const decision = { id: 'endpoints/decision', title: 'choice among 10,000 endpoints' };
  return [...rows, decide(useNames, way, rounds), decide(useChoose, decision, rounds)];
};
