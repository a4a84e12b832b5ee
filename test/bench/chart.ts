/** The chart of a run: how each cost compares with haproxy’s, as SVG that can be read on light and on dark. */
import { type Verdict, verdictsOn } from './goals.ts';
import type { Row } from './results.ts';

const WIDTH = 760;
const LABELS = 300;
const ROW = 24;
const TOP = 46;
const BAR = 12;
/** The longest ratio that is drawn to scale. */
const MOST = 2;
const UNIT = (WIDTH - LABELS - 60) / MOST;
const COLORS: Readonly<Record<string, string>> = { held: '#3d8fd1', missed: '#d9772b' };
const UNJUDGED = '#8a8f98';
const TEXT = '#7d8590';

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" ${more}>${escaped(content)}</text>`;

const at = (ratio: number): number => LABELS + Math.min(ratio, MOST) * UNIT;

const upright = (x: number, from: number, to: number, more: string): string =>
  `<path d="M${x.toFixed(1)} ${from}V${to}" ${more}/>`;

const bar = ({ row, goal, found, verdict }: Verdict, i: number): string => {
  const y = TOP + i * ROW;
  const color = COLORS[verdict] ?? UNJUDGED;
  const width = at(found) - LABELS;
  return [
    text(LABELS - 8, y + 11, row.title.replace(/,? \d+ per second/, ''), 'text-anchor="end"'),
    `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/>`,
    upright(at(goal.bound), y - 3, y + BAR + 3, `stroke="${TEXT}" stroke-width="2"`),
    text(Math.max(at(found), at(goal.bound)) + 6, y + 11, found.toFixed(2)),
  ].join('\n');
};

/** Draws the costs that have a goal beside haproxy as shipped; less is better. */
export const chartOf = (rows: readonly Row[], caption: string): string => {
  const verdicts = rows
    .flatMap(verdictsOn)
    .filter(({ goal, found }) => goal.against === 'haproxy' && goal.sense === '≤' && found > 0);
  const height = TOP + verdicts.length * ROW + 30;
  const style = `font-family="system-ui, sans-serif" font-size="12" fill="${TEXT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>What linkerd-tcp costs, as a ratio to haproxy</title>
<g ${style}>
${text(LABELS, 16, 'linkerd-tcp ÷ haproxy; less is better, ticks are the goals', 'font-weight="bold"')}
${text(at(1), 34, '1 = haproxy', 'text-anchor="middle"')}
${upright(at(1), TOP - 6, height - 26, `stroke="${TEXT}" stroke-dasharray="3 3"`)}
${verdicts.map(bar).join('\n')}
${text(8, height - 8, caption, 'font-size="10"')}
</g>
</svg>
`;
};
