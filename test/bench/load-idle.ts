/** Memory: of connections that are open and quiet, and of a daemon that has none. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { start } from './children.ts';
import { bare, linkerdTcp, type Recipe } from './contenders.ts';
import { residentKiB } from './machine.ts';
import { haproxy, nginx } from './peers.ts';
import { type Group, loopRow, OURS, type Plan, type Row } from './results.ts';
import { watching, within } from './rounds.ts';

const WANTED = 9_000;
const MAX_ROUNDS = 3;
const SETTLE_MS = 1_500;

/** Descriptors that the peer and each proxy want beside two for each connection. */
const RESERVE = 500;

/** The yardstick of base memory. */
const IMPORTS = 'five imports';

/** As many connections as the limit of descriptors lets be. */
const affordable = (): number => {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = Number(
    /^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY,
  );
  return Math.min(WANTED, Math.floor((hard - RESERVE) / 2));
};

const recipes = ({ peers }: Plan): readonly Recipe[] => [
  bare(),
  linkerdTcp(),
  ...(peers.has('haproxy') ? [haproxy()] : []),
  ...(peers.has('nginx') ? [nginx()] : []),
];

type Values = Map<string, number[]>;

const push = (values: Values, name: string, value: number): void => {
  values.set(name, [...(values.get(name) ?? []), value]);
};

/** KiB per connection of a fresh process. */
const holdThrough = async (recipe: Recipe, count: number, values: Values) =>
  within([recipe], async ({ peer, contenders: [contender] }) => {
    if (contender?.child === undefined) return;
    const { child, port, name } = contender;
    await pause(SETTLE_MS / 2);
    const before = residentKiB(child.pid);
    await watching(contender, async () => {
      await peer.perform({ t: 'hold', port, count });
      await pause(SETTLE_MS);
    });
    push(values, name, (residentKiB(child.pid) - before) / count);
  });

/** MiB of a daemon without connections, and of a Node that imports the same packages. */
const baseOf = async (values: Values): Promise<void> => {
  const imports = start([process.execPath, join(import.meta.dirname, 'imports.js')]);
  const daemon = await linkerdTcp({ isPlain: true }).start(1);
  await pause(SETTLE_MS);
  push(values, IMPORTS, residentKiB(imports.pid) / 1024);
  push(values, OURS, residentKiB(daemon.child?.pid ?? 0) / 1024);
  await Promise.all([imports.end(), daemon.child?.end()]);
};

/** 9,000 idle connections, and none. */
export const idle: Group = async (plan) => {
  const count = affordable();
  if (count < WANTED) plan.say(`only ${count} idle connections: the limit of open files is low`);
  const perConnection: Values = new Map();
  const base: Values = new Map();
  const blocked = new Map<string, number>();
  for (let round = 0; round < Math.min(plan.rounds, MAX_ROUNDS); round++) {
    for (const recipe of recipes(plan)) {
      const loops = await holdThrough(recipe, count, perConnection);
      for (const [name, ms] of loops) blocked.set(name, Math.max(ms, blocked.get(name) ?? 0));
    }
    await baseOf(base);
    plan.say(`idle memory, round ${round + 1}`);
  }
  const title = `idle, ${count} connections: memory each`;
  const rows: readonly Row[] = [
    { id: 'idle/connection', title, unit: 'KiB', values: perConnection },
    { id: 'idle/base', title: 'memory without connections', unit: 'MiB', values: base },
  ];
  return [...rows, loopRow('idle', blocked)];
};
