/** Bulk: one way, over 1 and 8 streams. */
import { bare, direct, linkerdTcp, type Recipe } from './contenders.ts';
import { haproxy, nginx } from './peers.ts';
import { type Group, loopRow, makeRow, type Plan, type Row, streamsOf } from './results.ts';
import { compare, within } from './rounds.ts';

/** Of each sample. */
const BYTES = 2 ** 29;

const SHARE_OF_GIB = BYTES / 2 ** 30;

const LOADS = (['down', 'up'] as const).flatMap((direction) =>
  [1, 8].map((streams) => ({ t: 'bulk', direction, streams, bytes: BYTES }) as const),
);

const recipes = ({ peers }: Plan): readonly Recipe[] => [
  bare(),
  linkerdTcp(),
  ...(peers.has('haproxy') ? [haproxy(), haproxy({ isTuned: true })] : []),
  ...(peers.has('nginx') ? [nginx(), nginx({ isTuned: true })] : []),
  direct,
];

/** Both directions, all contenders, peers as shipped and tuned. */
export const bulk: Group = async (plan) => {
  const rows: Row[] = [];
  const blocked = await within(recipes(plan), async ({ peer, contenders }) => {
    for (const load of LOADS) {
      const { direction, streams } = load;
      const samples = await compare(peer, contenders, {
        load,
        rounds: plan.rounds,
      });
      const id = `bulk/${direction}-${streams}`;
      const name = `bulk ${direction}, ${streamsOf(streams)}`;
      rows.push(
        makeRow(
          { id: `${id}/cpu`, title: `${name}: CPU per GiB`, unit: 'ms' },
          samples,
          ({ cpuNs }) => cpuNs / 1e6 / SHARE_OF_GIB,
        ),
        makeRow(
          { id: `${id}/rate`, title: `${name}: throughput`, unit: 'GiB/s' },
          samples,
          ({ seconds }) => SHARE_OF_GIB / seconds,
        ),
      );
      plan.say(name);
    }
  });
  return [...rows, loopRow('bulk', blocked)];
};
