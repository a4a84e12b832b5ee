/** The moment of a violation as marbles: who came, what became of them, and how the endpoints were. Pure. */
import { HEALTHS } from '../testing/network.ts';
import type { Connection, EndpointFact } from './journal.ts';
import type { Run } from './run.ts';
import type { Endpoint, Scenario } from './scenario.ts';
import { showDuration } from './units.ts';

const COLUMNS = 60;
const MOST_ENDPOINTS = 12;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
/** The picture shows about this part of the whole. */
const PART = 10;

/** What happened at some times, as a row of counts. */
const countRow = (times: readonly number[], columnOf: (at: number) => number): string => {
  const counts = Array.from({ length: COLUMNS }, () => 0);
  for (const at of times) {
    const column = columnOf(at);
    if (column >= 0 && column < COLUMNS) counts[column] = (counts[column] ?? 0) + 1;
  }
  return counts.map((count) => (count === 0 ? '-' : count > 9 ? '+' : `${count}`)).join('');
};

const LETTERS = new Map(Object.entries(HEALTHS).map(([letter, health]) => [health, letter]));

interface Marked {
  readonly at: number;
  readonly letter: string;
}

/** What becomes of one endpoint, as a row of letters; of several in one column the last counts. */
const letterRow = (marks: readonly Marked[], columnOf: (at: number) => number): string => {
  const letters = Array.from({ length: COLUMNS }, () => '-');
  for (const { at, letter } of [...marks].sort((a, b) => a.at - b.at)) {
    const column = columnOf(at);
    if (column >= 0 && column < COLUMNS) letters[column] = letter;
  }
  return letters.join('');
};

type Row = readonly [name: string, text: string];

const connectionRows = (
  connections: readonly Connection[],
  columnOf: (at: number) => number,
): readonly Row[] => {
  const row = (timeOf: (one: Connection) => number | undefined): string =>
    countRow(
      connections.map(timeOf).filter((at) => at !== undefined),
      columnOf,
    );
  return [
    ['arrived', row(({ at }) => at)],
    ['dispatched', row(({ openedAt }) => openedAt)],
    ['refused', row(({ openedAt, endedAt }) => (openedAt === undefined ? endedAt : undefined))],
  ];
};

const endpointRow = (
  { name, address, behaviour }: Endpoint,
  facts: readonly EndpointFact[],
  columnOf: (at: number) => number,
): Row => {
  const own = facts.filter((one) => one.endpoint === address.text && one.t !== 'dialed');
  const marks = [
    ...behaviour.map(({ at, value }) => ({ at, letter: LETTERS.get(value.health) ?? '?' })),
    ...own.map(({ at, t }) => ({ at, letter: t === 'failed' ? 'F' : 'R' })),
  ];
  return [name, letterRow(marks, columnOf)];
};

/** Lines: a ruler, then a row for each thing; `^` stands under the moment. `F` is put aside, `R` restored. */
export const draw = (scenario: Scenario, { journal }: Run, at: number): readonly string[] => {
  const wanted = scenario.durationMs / PART / COLUMNS;
  const step = STEPS.find((one) => one >= wanted) ?? STEPS.at(-1) ?? 1;
  const start = Math.max(0, Math.floor(at / step) - COLUMNS / 2) * step;
  const columnOf = (when: number): number => Math.floor((when - start) / step);
  const rows = [
    ...connectionRows(journal.connections, columnOf),
    ...scenario.endpoints
      .slice(0, MOST_ENDPOINTS)
      .map((one) => endpointRow(one, journal.endpoints, columnOf)),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const line = (name: string, text: string): string => `  ${name.padEnd(width)}  ${text}`.trimEnd();
  const [from, to] = [showDuration(start), showDuration(start + COLUMNS * step)];
  return [
    line('', `${from}${to.padStart(COLUMNS - from.length)}   a column is ${showDuration(step)}`),
    ...rows.map(([name, text]) => line(name, text)),
    line('', `${' '.repeat(Math.max(0, columnOf(at)))}^ ${showDuration(at)}`),
  ];
};
