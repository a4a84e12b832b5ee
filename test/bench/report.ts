/** A run as Markdown: one table of medians and ratios, and what was compared, where and when. */
import { readFileSync, writeFileSync } from 'node:fs';
import { showVerdict, verdictsOn } from './goals.ts';
import { AGAIN, medianOf, OURS, type Row, ratioOf } from './results.ts';

const COLUMNS = ['bare pipe', 'haproxy', 'haproxy tuned', 'nginx', 'nginx tuned', 'direct'];
const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';
const CHART = 'test/bench/chart.svg';

/** Under what a run took place. */
export interface Circumstances {
  readonly machine: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  /** What was left out, and why. */
  readonly missing: readonly string[];
}

const number = (value: number): string => {
  if (!Number.isFinite(value)) return '';
  if (value >= 1000) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
};

const ratio = (row: Row, other: string): string => {
  const value = ratioOf(row, OURS, other);
  return Number.isFinite(value) ? value.toFixed(2) : '';
};

/** What no column tells: ratios to others, the peer’s ratio to itself, and the verdicts. */
const remarks = (row: Row): string =>
  [
    ...[...row.values.keys()]
      .filter((name) => name !== OURS && name !== AGAIN && !COLUMNS.includes(name))
      .map((name) => `${ratio(row, name)} × ${name}`),
    ...(row.values.has(AGAIN) ? [`A/A ${ratioOf(row, AGAIN, 'haproxy').toFixed(2)}`] : []),
    ...verdictsOn(row).map(showVerdict),
  ].join('; ');

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The table alone. */
export const tableOf = (rows: readonly Row[]): string => {
  const columns = COLUMNS.filter((name) => rows.some(({ values }) => values.has(name)));
  const heads = ['what', OURS, ...columns.map((name) => `÷ ${name}`), 'goals'];
  return [
    line(heads),
    line(heads.map((_, i) => (i === 0 || i === heads.length - 1 ? '---' : '--:'))),
    ...rows.map((row) =>
      line([
        row.title,
        `${number(medianOf(row, OURS))} ${row.unit}`,
        ...columns.map((name) => ratio(row, name)),
        remarks(row),
      ]),
    ),
  ].join('\n');
};

/** How many goals were held, missed and not judged. */
export const tally = (rows: readonly Row[]): string => {
  const verdicts = rows.flatMap(verdictsOn).map(({ verdict }) => verdict);
  const held = verdicts.filter((verdict) => verdict === 'held').length;
  const missed = verdicts.filter((verdict) => verdict === 'missed').length;
  return `${held} goals held, ${missed} missed, ${verdicts.length - held - missed} not judged`;
};

/** The whole report. */
export const reportOf = (rows: readonly Row[], under: Circumstances): string =>
  [
    `${under.machine}; ${under.versions.join(', ')}.`,
    `Medians of ${under.rounds} alternating rounds (idle memory: of at most 3, latencies: of at least 11); a ratio is the`,
    'median of the ratios of each round, ours to the other’s. CPU is the proxy’s own, everything is on loopback. Latencies are',
    'at half of the most that ours and haproxy can do, from the millisecond in which a request is due; A/A is haproxy beside itself.',
    ...under.missing.map((one) => `Left out: ${one}.`),
    '',
    tableOf(rows),
    '',
    `${tally(rows)}.`,
  ].join('\n');

const INTRO = `## What it costs

What \`npm run bench -- --write\` found: CPU and memory beside haproxy, nginx and two bare pipes in Node.
Each figure stands beside those of the same run; on another machine only the ratios mean something.
`;

/** Puts a report into README.md, between its markers; adds a section where there are none. */
export const writeReadme = (report: string): void => {
  const text = readFileSync('README.md', 'utf8');
  const block = `${BEGIN}\n![Costs beside haproxy](${CHART})\n\n${report}\n${END}`;
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END, from);
  const developers = text.indexOf('## For developers');
  if (from >= 0 && to >= 0)
    writeFileSync('README.md', text.slice(0, from) + block + text.slice(to + END.length));
  else {
    const at = developers < 0 ? text.length : developers;
    writeFileSync('README.md', `${text.slice(0, at)}${INTRO}\n${block}\n\n${text.slice(at)}`);
  }
};

/** Where the chart stands, from the top of the project. */
export const CHART_FILE = CHART;
