/** The short form for CI: CPU per unit against the bare pipe, and nothing else. */
import { bare, linkerdTcp } from './contenders.ts';
import { makeRow, medianOf, OURS, type Row, ratioOf } from './results.ts';
import { compare, type Load, within } from './rounds.ts';

const ROUNDS = 7;

/** Each with the most that it may cost, as a ratio to the bare pipe: generous, for machines that others use too. */
const PARTS: readonly (readonly [name: string, units: number, bound: number, load: Load])[] = [
  ['small request', 25_600, 1.25, { t: 'requests', count: 25_600, parallel: 64 }],
  ['new connection', 2_000, 1.25, { t: 'connections', count: 2_000, perSecond: 2_000 }],
  ['GiB of bulk', 0.5, 1.0, { t: 'bulk', direction: 'down', streams: 1, bytes: 2 ** 29 }],
];

const show = (row: Row, bound: number): string => {
  const ratio = ratioOf(row, OURS, 'bare pipe');
  const costs = [OURS, 'bare pipe'].map((name) => `${name} ${medianOf(row, name).toFixed(1)} µs`);
  const verdict = ratio <= bound ? 'held' : 'missed';
  return `${row.title.padEnd(16)} ${costs.join('  ')}  ratio ${ratio.toFixed(2)}, at most ${bound}: ${verdict}`;
};

/** Prints the ratios; gives whether all are within their bounds. */
export const short = async (): Promise<boolean> => {
  let areHeld = true;
  console.log(`CPU per unit, medians of ${ROUNDS} alternating rounds, Node ${process.version}`);
  await within(
    [bare({ isPlain: true }), linkerdTcp({ isPlain: true })],
    async ({ peer, contenders }) => {
      for (const [title, units, bound, load] of PARTS) {
        const samples = await compare(peer, contenders, { load, rounds: ROUNDS });
        const row = makeRow(
          { id: title, title, unit: 'µs' },
          samples,
          ({ cpuNs }) => cpuNs / 1e3 / units,
        );
        console.log(show(row, bound));
        areHeld &&= ratioOf(row, OURS, 'bare pipe') <= bound;
      }
    },
  );
  return areHeld;
};
