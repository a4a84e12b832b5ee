/** The generated blocks of README.md: each stands between its markers and is written by one function. */
import { endpointsMarkdown } from '../../src/admin/endpoints.ts';
import { metricsMarkdown } from '../../src/admin/metric-list.ts';
import { CLOSE_REASONS } from '../../src/close-reason.ts';
import { configMarkdown, markdown, namerdMarkdown, tableOf } from '../../src/config/table.ts';
import { SENTENCES } from '../../src/simulate/expectation.ts';
import { scenario } from '../../src/simulate/schema.ts';

/** Every reason for which a connection can end, as a table. */
export const closeReasonsMarkdown = (): string =>
  [
    '| reason | the connection ended because |',
    '|---|---|',
    ...Object.entries(CLOSE_REASONS).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`),
  ].join('\n');

/** The blocks of README.md by the name in their markers, `<!-- name -->` … `<!-- /name -->`. */
export const README_BLOCKS: Readonly<Record<string, () => string>> = {
  config: configMarkdown,
  'namerd-config': namerdMarkdown,
  scenario: () => markdown(tableOf(scenario)),
  sentences: () => ['```', ...SENTENCES, '```'].join('\n'),
  endpoints: endpointsMarkdown,
  metrics: metricsMarkdown,
  'close-reasons': closeReasonsMarkdown,
};

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The span between the lines of both markers. */
const spanOf = (text: string, name: string): Span | undefined => {
  const opening = `<!-- ${name} -->\n`;
  const at = text.indexOf(opening);
  const to = text.indexOf(`<!-- /${name} -->`, at);
  return at < 0 || to < 0 ? undefined : { from: at + opening.length, to };
};

/** What stands in a block; `undefined` when its markers are not there. */
export const blockOf = (text: string, name: string): string | undefined => {
  const span = spanOf(text, name);
  return span && text.slice(span.from, span.to).trim();
};

/** Puts new content into a block. Errors: throws when its markers are not there. */
export const withBlock = (text: string, name: string, content: string): string => {
  const span = spanOf(text, name);
  if (span === undefined)
    throw new Error(`README.md has no block <!-- ${name} --> … <!-- /${name} -->`);
  return `${text.slice(0, span.from)}${content}\n${text.slice(span.to)}`;
};
