/** Our socket pipe alone beside two bare pipes and the whole daemon; for those who work on it. */
import { bare, linkerdTcp } from './contenders.ts';
import { type Group, loopRow, makeRow, type Row } from './results.ts';
import { compare, type Load, within } from './rounds.ts';

const PARTS: readonly (readonly [name: string, units: number, load: Load])[] = [
  ['request', 25_600, { t: 'requests', count: 25_600, parallel: 64 }],
  ['connection', 3_000, { t: 'connections', count: 3_000, perSecond: 2_000 }],
  ['MiB of bulk', 1_024, { t: 'bulk', direction: 'down', streams: 1, bytes: 2 ** 30 }],
];

/** Small requests, new connections and bulk. */
export const duplex: Group = async ({ rounds, say }) => {
  const rows: Row[] = [];
  const recipes = [bare(), linkerdTcp(), bare({ program: 'duplex.js', name: 'openDuplex alone' })];
  const blocked = await within(recipes, async ({ peer, contenders }) => {
    for (const [name, units, load] of PARTS) {
      const samples = await compare(peer, contenders, { load, rounds });
      const title = `CPU per ${name}`;
      rows.push(
        makeRow(
          { id: `duplex/${name}`, title, unit: 'µs' },
          samples,
          ({ cpuNs }) => cpuNs / 1e3 / units,
        ),
      );
      say(title);
    }
  });
  return [...rows, loopRow('duplex', blocked)];
};
