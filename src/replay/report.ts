/** What a replay has shown, as people read it. Pure. */
import type { FrozenCommand, FrozenEvent } from '../balancer/frozen-messages.ts';
import type { Comparison } from './compare.ts';
import type { Difference, Verdict } from './verify.ts';

const MOST_SHARES = 20;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

const showCommand = (command: FrozenCommand): string => {
  switch (command.t) {
    case 'connect':
      return `connect ${command.address}${command.conn === undefined ? '' : ` for ${command.conn}`}`;
    case 'dispatch':
      return `dispatch ${command.conn} to ${command.address}`;
    case 'refuse':
      return `refuse ${command.conn} ${command.reason}`;
    case 'tell':
      return `${command.what} ${command.address}`;
    default:
      return `${command.t} ${command.dial}`;
  }
};

const showCommands = (commands: readonly FrozenCommand[]): string =>
  commands.length === 0 ? 'nothing' : commands.map(showCommand).join(', ');

const showEvent = (event: FrozenEvent): string => {
  if ('conn' in event) return `${event.t} ${event.conn}`;
  return 'dial' in event ? `${event.t} ${event.dial}` : event.t;
};

const showDifference = (difference: Difference): string => {
  const { core, rt, dst, at, event, recorded, replayed, error } = difference;
  const where = `  ${seconds(at)}  ${rt} ${dst}${core === 0 ? '' : `  worker ${core}`}`;
  if (error !== undefined) return `${where}: cannot be decided again: ${error}`;
  return event === undefined
    ? `${where}: what the balancer knew is not what it would know`
    : `${where}  ${showEvent(event)}: recorded ${showCommands(recorded)}; replayed ${showCommands(replayed)}`;
};

const headline = ({ events, differing }: Verdict, counts: string): string => {
  if (differing > 0) return `${counts}; NOT REPRODUCED, ${differing} differences:`;
  return events === 0
    ? `${counts}: NOTHING COULD BE CHECKED`
    : `${counts}, each came out again as it was recorded`;
};

/** What came of deciding again. */
export const verdictLines = (verdict: Verdict): readonly string[] => {
  const { names, events, decisions, connections, skipped, unknown, differences } = verdict;
  const early =
    skipped === 0 || unknown.size > 0
      ? []
      : [`note: ${skipped} events are from before anything was known of their names`];
  return [
    headline(
      verdict,
      `${connections} connections of ${names} names: ${events} events, ${decisions} decisions`,
    ),
    ...differences.map(showDifference),
    ...[...unknown].map(
      (kind) =>
        `note: names that choose by ${kind} were not followed; give --config with a configuration that has its plugin`,
    ),
    ...early,
  ];
};

const percent = (part: number, whole: number): string =>
  whole === 0 ? '100 %' : `${Math.round((1000 * part) / whole) / 10} %`;

/** What another configuration would have changed. */
export const comparisonLines = (comparison: Comparison): readonly string[] => {
  const { connections, alike, known, changing, changes, shares, before, after, unknown } =
    comparison;
  const isSame =
    changing === 0 && shares.length === 0 && before.p50 === after.p50 && before.p99 === after.p99;
  const rows = shares
    .slice(0, MOST_SHARES)
    .map((share) => `  ${share.before} → ${share.after}   ${share.outcome}`);
  return [
    isSame
      ? `${connections} connections: nothing would have changed`
      : `${connections} connections: ${changing === 0 ? 'none' : changing} would have gone to another name, or come to another end`,
    ...rows,
    ...(shares.length > rows.length ? [`  and ${shares.length - rows.length} outcomes more`] : []),
    `accept to dispatch: p50 ${before.p50.toFixed(1)} → ${after.p50.toFixed(1)} ms, p99 ${before.p99.toFixed(1)} → ${after.p99.toFixed(1)} ms`,
    ...(changes.length === 0 ? [] : ['the first of those:']),
    ...changes.map((one) => `  ${seconds(one.at)}  ${one.src}  ${one.before}  now  ${one.after}`),
    ...unknown.map((name) => `note: the recording says nothing of ${name}: as if it did not exist`),
    `The recorded configuration, run in the same way, gives ${percent(alike, known)} of ${known} outcomes as they were recorded.`,
  ];
};
