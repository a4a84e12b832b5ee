/** Small requests through two workers beside one: at one rate of arrivals, and as many as they can take. */
import { linkerdTcp } from './contenders.ts';
import { type Group, makeRow, medianOf, OURS, type Row } from './results.ts';
import { compare, type Ring, within } from './rounds.ts';

const SIZES = [64, 512] as const;

/** Of each sample. */
const COUNT = 25_600;

const ONE = 'one worker';

/** How much of what one worker can do is asked of both. */
const SHARE = 0.5;

const recipes = [
  linkerdTcp({ name: ONE, workers: 1, isPlain: true }),
  linkerdTcp({ name: OURS, workers: 2, isPlain: true }),
];

const measureOf = async (
  { peer, contenders }: Ring,
  parallel: number,
  rounds: number,
): Promise<readonly Row[]> => {
  const id = `workers/${parallel}`;
  const name = `two workers, ${parallel} open`;
  const open = await compare(peer, contenders, {
    load: { t: 'requests', count: COUNT, parallel },
    rounds,
  });
  const each = ({ cpuNs }: { readonly cpuNs: number }): number => cpuNs / 1e3 / COUNT;
  const rate = makeRow(
    { id: `${id}/rate`, title: `${name}: requests per second`, unit: '/s' },
    open,
    ({ seconds }) => COUNT / seconds,
  );
  const perSecond = Math.round(SHARE * medianOf(rate, ONE));
  const load = {
    t: 'paced',
    count: COUNT,
    ahead: 0,
    parallel,
    perSecond,
    arrivals: 'single',
  } as const;
  const paced = await compare(peer, contenders, { load, rounds });
  return [
    makeRow({ id: `${id}/cpu`, title: `${name}: CPU of a request`, unit: 'µs' }, open, each),
    rate,
    makeRow(
      {
        id: `${id}/paced/cpu`,
        title: `${name}, ${perSecond} per second: CPU of a request`,
        unit: 'µs',
      },
      paced,
      each,
    ),
  ];
};

/** 64 and 512 connections. */
export const workers: Group = async ({ rounds, say }) => {
  const rows: Row[] = [];
  await within(recipes, async (ring) => {
    for (const parallel of SIZES) {
      rows.push(...(await measureOf(ring, parallel, rounds)));
      say(`workers, ${parallel} open`);
    }
  });
  return rows;
};
