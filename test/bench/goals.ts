/** What linkerd-tcp must reach beside its peers, and whether it does. */
import { medianOf, noiseOf, OURS, type Row, ratioOf } from './results.ts';

/** A bound on one row. */
export interface Goal {
  /** Ids of its rows. */
  readonly rows: RegExp;
  /** The contender whose ratio is bound; none: the figure itself is. */
  readonly against?: string;
  readonly sense: '≤' | '≥';
  readonly bound: number;
  /** The bound is on the difference in the row’s unit, not on the ratio. */
  readonly isDifference?: boolean;
}

/** All of them. */
export const GOALS: readonly Goal[] = [
  { rows: /^bulk\/.*\/cpu$/, against: 'haproxy', sense: '≤', bound: 0.6 },
  { rows: /^bulk\/.*\/cpu$/, against: 'haproxy tuned', sense: '≤', bound: 1.1 },
  { rows: /^bulk\/.*\/rate$/, against: 'haproxy', sense: '≥', bound: 1.3 },
  { rows: /^requests\/.*\/cpu$/, against: 'haproxy', sense: '≤', bound: 1.15 },
  { rows: /^requests\/.*\/p99$/, against: 'haproxy', sense: '≤', bound: 1.25 },
  { rows: /^workers\/.*\/paced\/cpu$/, against: 'one worker', sense: '≤', bound: 1.1 },
  { rows: /^(?:names|endpoints)\/connection$/, against: 'ten of them', sense: '≤', bound: 1.25 },
  { rows: /^endpoints\/decision$/, against: 'ten of them', sense: '≤', bound: 2 },
  // What is known of so many names is in no cache of the processor; what is bound is that nothing is searched.
  { rows: /^names\/decision$/, against: 'ten of them', sense: '≤', bound: 4 },
  { rows: /^connections\/cpu$/, against: 'bare pipe', sense: '≤', bound: 1 },
  { rows: /^connections-other-node\/cpu$/, against: 'haproxy', sense: '≤', bound: 1.5 },
  { rows: /^recorder\/cpu$/, against: 'not recording', sense: '≤', bound: 1.03 },
  { rows: /^idle\/connection$/, against: 'bare pipe', sense: '≤', bound: 1 },
  { rows: /^idle\/base$/, against: 'five imports', sense: '≤', bound: 30, isDifference: true },
  { rows: /^tls\/(?:up|down)-\d\/cpu$/, against: 'haproxy', sense: '≤', bound: 0.9 },
  { rows: /^tls\/requests\/cpu$/, against: 'haproxy', sense: '≤', bound: 1.35 },
  { rows: /^tls\/handshakes\/cpu$/, against: 'haproxy', sense: '≤', bound: 1.5 },
  { rows: /^tls\/resumed\/cpu$/, against: 'haproxy', sense: '≤', bound: 1.4 },
  { rows: /\/loop$/, sense: '≤', bound: 20 },
];

/** Whether a goal was reached. */
export interface Verdict {
  readonly row: Row;
  readonly goal: Goal;
  readonly found: number;
  /** In words: `held`, `missed`, or why it was not judged. */
  readonly verdict: string;
}

const find = (row: Row, { against, isDifference }: Goal): number => {
  if (against === undefined) return medianOf(row, OURS);
  if (isDifference === true) return medianOf(row, OURS) - medianOf(row, against);
  return ratioOf(row, OURS, against);
};

const judge = (row: Row, goal: Goal): Verdict => {
  const found = find(row, goal);
  const noise = noiseOf(row);
  const quiet = medianOf(row, 'bare pipe');
  const isHeld = goal.sense === '≤' ? found <= goal.bound : found >= goal.bound;
  if (Number.isNaN(found)) return { row, goal, found, verdict: 'not measured' };
  if (noise !== undefined)
    return { row, goal, found, verdict: `not judged, A/A ${noise.toFixed(2)}` };
  // Nothing of a bare pipe takes long: where it was kept waiting as well, it was the machine that was busy.
  if (goal.against === undefined && !isHeld && quiet > goal.bound)
    return { row, goal, found, verdict: `not judged, bare pipe ${quiet.toFixed(1)} ${row.unit}` };
  return { row, goal, found, verdict: isHeld ? 'held' : 'missed' };
};

/** The verdicts on one row. */
export const verdictsOn = (row: Row): readonly Verdict[] =>
  GOALS.filter(({ rows }) => rows.test(row.id)).map((goal) => judge(row, goal));

/** A verdict in words, such as `≤ 0.6 × haproxy: held`. */
export const showVerdict = ({ row, goal, found, verdict }: Verdict): string => {
  const { against, sense, bound, isDifference } = goal;
  if (against === undefined) return `${sense} ${bound} ${row.unit}: **${verdict}**`;
  if (isDifference === true)
    return `${found.toFixed(1)} ${row.unit} above ${against}, ${sense} ${bound}: **${verdict}**`;
  return `${sense} ${bound} × ${against}: **${verdict}**`;
};
