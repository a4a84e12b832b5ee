/** TLS from the clients, ended by the proxy: bulk, small requests and full handshakes. */
import { bare, type CertFiles, linkerdTcp, makeCertFiles, type Recipe } from './contenders.ts';
import { haproxy, nginx } from './peers.ts';
import { type Group, loopRow, makeRow, type Plan, type Row, streamsOf } from './results.ts';
import { compare, type Load, within } from './rounds.ts';

interface Part {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly load: Load;
  /** A sample’s ns of CPU in the unit told. */
  readonly scale: number;
}

const MIB_256 = 2 ** 28;
const REQUESTS = 16_000;
const HANDSHAKES = 400;

/** Handshakes before those that are measured, at a rate that all keep up with: fewer leave code that is not compiled yet. */
const WARMING = { count: 9_000, perSecond: 900 };

const handshakes = (resumes: boolean): Part => ({
  id: resumes ? 'tls/resumed' : 'tls/handshakes',
  title: `TLS ${resumes ? 'resumed' : 'full'} handshakes: CPU each`,
  unit: 'µs',
  load: { t: 'connections', count: HANDSHAKES, perSecond: 250, tls: true, resumes },
  scale: 1e-3 / HANDSHAKES,
});

const PARTS: readonly Part[] = [
  ...(['down', 'up'] as const).flatMap((direction) =>
    [1, 8].map((streams) => ({
      id: `tls/${direction}-${streams}`,
      title: `TLS bulk ${direction}, ${streamsOf(streams)}: CPU per GiB`,
      unit: 'ms',
      load: { t: 'bulk', direction, streams, bytes: MIB_256, tls: true } as const,
      scale: 4e-6,
    })),
  ),
  {
    id: 'tls/requests',
    title: 'TLS requests, 64 open: CPU each',
    unit: 'µs',
    load: { t: 'requests', count: REQUESTS, parallel: 64, tls: true },
    scale: 1e-3 / REQUESTS,
  },
  handshakes(false),
  handshakes(true),
];

const recipes = ({ peers }: Plan, tls: CertFiles): readonly Recipe[] => [
  bare({ tls }),
  linkerdTcp({ tls }),
  ...(peers.has('haproxy') ? [haproxy({ tls })] : []),
  ...(peers.has('nginx') ? [nginx({ tls })] : []),
];

/** TLS of each. */
export const tls: Group = async (plan) => {
  const rows: Row[] = [];
  const all = recipes(plan, await makeCertFiles());
  const blocked = await within(all, async ({ peer, contenders }) => {
    for (const { load, scale, ...head } of PARTS) {
      const { rounds } = plan;
      const samples = await compare(peer, contenders, { load, rounds, warming: WARMING });
      rows.push(makeRow({ ...head, id: `${head.id}/cpu` }, samples, ({ cpuNs }) => cpuNs * scale));
      plan.say(head.title);
    }
  });
  return [...rows, loopRow('tls', blocked)];
};
