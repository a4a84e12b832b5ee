/** New connections at a fixed rate, each of one message; on another Node too, if one is named. */
import { bare, linkerdTcp, type Recipe } from './contenders.ts';
import { firstLine } from './machine.ts';
import { haproxy, nginx } from './peers.ts';
import { type Group, loopRow, makeRow, OURS, type Plan, type Row } from './results.ts';
import { compare, within } from './rounds.ts';

/** Connections before those that are measured: after so many, a Node compiles nothing more. */
const WARMING = { count: 30_000, perSecond: 2_000 };

const LOAD = { t: 'connections', count: 3_000, perSecond: 2_000 } as const;

const peersOf = ({ peers }: Plan): readonly Recipe[] => [
  ...(peers.has('haproxy') ? [haproxy()] : []),
  ...(peers.has('nginx') ? [nginx()] : []),
];

const churn = async (
  plan: Plan,
  head: { readonly id: string; readonly name: string },
  recipes: readonly Recipe[],
): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const blocked = await within(recipes, async ({ peer, contenders }) => {
    const { rounds } = plan;
    const samples = await compare(peer, contenders, { load: LOAD, rounds, warming: WARMING });
    const title = `${head.name}: CPU each`;
    rows.push(
      makeRow(
        { id: `${head.id}/cpu`, title, unit: 'µs' },
        samples,
        ({ cpuNs }) => cpuNs / 1e3 / LOAD.count,
      ),
    );
  });
  plan.say(head.name);
  return [...rows, loopRow(head.id, blocked)];
};

/** On this Node, and on `NODE_BINARY`. */
export const connections: Group = async (plan) => {
  const { otherNode: node } = plan;
  const usual = { id: 'connections', name: 'new connections' };
  const rows = await churn(plan, usual, [bare(), linkerdTcp(), ...peersOf(plan)]);
  if (node === undefined) {
    plan.say('left out: new connections on a newer Node (NODE_BINARY names none)');
    return rows;
  }
  const version = firstLine(node, '--version') ?? 'another version';
  const other = { id: 'connections-other-node', name: `new connections, Node ${version}` };
  const recipes = [bare({ node }), linkerdTcp({ node, name: OURS }), ...peersOf(plan)];
  return [...rows, ...(await churn(plan, other, recipes))];
};
