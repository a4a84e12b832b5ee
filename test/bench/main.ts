/**
 * What linkerd-tcp costs beside haproxy, nginx, two bare pipes in Node and no proxy at all.
 *
 *     npm run bench                       all groups; ROUNDS=7 rounds, NODE_BINARY=… for churn on another Node too
 *     npm run bench -- bulk tls           some of them
 *     npm run bench -- duplex             the socket pipe alone, for those who work on it
 *     npm run bench -- recorder           what recording costs a new connection
 *     npm run bench -- --write            all, into README.md and its chart
 *     npm run bench -- short              for CI: beside the bare pipe only; fails beyond fixed bounds
 */
import { writeFileSync } from 'node:fs';
import { chartOf } from './chart.ts';
import { endTogether } from './children.ts';
import { bulk } from './load-bulk.ts';
import { connections } from './load-connections.ts';
import { duplex } from './load-duplex.ts';
import { idle } from './load-idle.ts';
import { names } from './load-names.ts';
import { recorder } from './load-recorder.ts';
import { requests } from './load-requests.ts';
import { tls } from './load-tls.ts';
import { update } from './load-update.ts';
import { workers } from './load-workers.ts';
import { describeMachine, firstLine } from './machine.ts';
import { findPeers, PROGRAMS } from './peers.ts';
import { CHART_FILE, reportOf, writeReadme } from './report.ts';
import type { Group, Plan, Row } from './results.ts';
import { short } from './short.ts';

const GROUPS: Readonly<Record<string, Group>> = {
  bulk,
  requests,
  workers,
  connections,
  tls,
  idle,
  update,
  names,
};
/** Those that run only when they are named. */
const EXTRA: Readonly<Record<string, Group>> = { duplex, recorder };
const DEFAULT_ROUNDS = 5;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const versions = ({ peers, otherNode }: Plan): readonly string[] => {
  const haproxy = /[\d.]+(?:-\S+)?/.exec(firstLine(PROGRAMS.haproxy, '-v') ?? '')?.[0];
  const nginx = /[\d.]+$/.exec(firstLine(PROGRAMS.nginx, '-v') ?? '')?.[0];
  return [
    `Node ${process.version}`,
    ...(otherNode === undefined ? [] : [`Node ${firstLine(otherNode, '--version')} where named`]),
    ...(peers.has('haproxy') ? [`haproxy ${haproxy}`] : []),
    ...(peers.has('nginx') ? [`nginx ${nginx}`] : []),
  ];
};

const groupOf = (name: string): Group | undefined => GROUPS[name] ?? EXTRA[name];

const runGroups = async (names: readonly string[], isWritten: boolean): Promise<void> => {
  const { peers, missing } = findPeers();
  for (const line of missing) say(`left out: ${line}`);
  const rounds = Number(process.env['ROUNDS'] ?? DEFAULT_ROUNDS);
  const plan: Plan = { rounds, peers, otherNode: process.env['NODE_BINARY'], say };
  const rows: Row[] = [];
  for (const name of names) rows.push(...((await groupOf(name)?.(plan)) ?? []));
  const circumstances = { machine: describeMachine(), versions: versions(plan), rounds, missing };
  const report = reportOf(rows, circumstances);
  console.log(report);
  if (!isWritten) return;
  const { machine } = circumstances;
  writeFileSync(CHART_FILE, chartOf(rows, `${machine}; ${circumstances.versions.join(', ')}`));
  writeReadme(report);
};

const main = async (args: readonly string[]): Promise<number> => {
  const isWritten = args.includes('--write');
  const words = args.filter((arg) => arg !== '--write');
  if (words.length === 1 && words[0] === 'short') return (await short()) ? 0 : 1;
  const unknown = words.filter((word) => groupOf(word) === undefined);
  if (unknown.length > 0 || (isWritten && words.length > 0)) {
    say(
      `usage: npm run bench -- [${Object.keys({ ...GROUPS, ...EXTRA }).join('] [')}] | short | --write`,
    );
    return 64;
  }
  await runGroups(words.length > 0 ? words : Object.keys(GROUPS), isWritten);
  return 0;
};

endTogether();
process.exit(await main(process.argv.slice(2)));
