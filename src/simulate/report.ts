/** What simulations have shown, for people, programs and test reports. The same for the same seed, byte by byte. Pure. */
import type { Path } from '../path.ts';
import { draw } from './draw.ts';
import type { Verdict } from './judge.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { showDuration } from './units.ts';

/** One scenario and what became of it. */
export interface Simulated {
  /** The file of the scenario. */
  readonly file: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly run: Run;
  readonly verdicts: readonly Verdict[];
}

/** How results are told. */
export type Format = 'pretty' | 'json' | 'junit';

/** Everything that was expected of it held. */
export const isHeld = ({ verdicts }: Simulated): boolean => verdicts.every((one) => one.isHeld);

/** `3 retry-budget, 2 no-endpoints`: why connections reached no endpoint, most of them first. */
const refusalsOf = ({ run }: Simulated): string => {
  const counts = new Map<string, number>();
  for (const { openedAt, endedAt, reason, detail = '' } of run.journal.connections)
    if (openedAt === undefined && endedAt !== undefined)
      counts.set(reason ?? detail, (counts.get(reason ?? detail) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
};

const summaryOf = (simulated: Simulated): string => {
  const { run, seed, scenario } = simulated;
  const { connections, events } = run.journal;
  const opened = connections.filter(({ openedAt }) => openedAt !== undefined).length;
  const refusals = refusalsOf(simulated);
  const refused = refusals === '' ? '' : `, refused: ${refusals}`;
  return `${connections.length} connections, ${opened} dispatched${refused}; ${events} events in ${showDuration(scenario.durationMs)}, seed ${seed}`;
};

/** Names that were looked up and that the scenario says nothing of: mostly mistyped. */
const unsaid = ({ run, scenario }: Simulated): readonly string[] =>
  [...run.journal.lookups.keys()]
    .filter((name) => !scenario.names.has(name as Path))
    .map((name) => `${name} was looked up, and the scenario says nothing of it: it does not exist`);

/** The first violation is drawn; of the others one line each. */
const prettyOne = (simulated: Simulated): string => {
  const { file, scenario, run, verdicts } = simulated;
  const first = verdicts.find((one) => !one.isHeld && one.at !== undefined);
  const lines = verdicts.flatMap((verdict) => {
    const { text, isHeld: held, seen, at } = verdict;
    const line = `  ${held ? 'held    ' : 'VIOLATED'}  ${text}   (${seen})`;
    return verdict === first && at !== undefined
      ? [line, '', ...draw(scenario, run, at).map((one) => `  ${one}`), '']
      : [line];
  });
  const faults = [
    ...unsaid(simulated).map((note) => `  note: ${note}`),
    ...run.faults.map((fault) => `  error: ${fault}`),
  ];
  return [`${scenario.title} (${file})`, `  ${summaryOf(simulated)}`, ...lines, ...faults, ''].join(
    '\n',
  );
};

const pretty = (all: readonly Simulated[]): string => {
  const held = all.filter(isHeld).length;
  const end = all.length === 1 ? [] : [`${held} of ${all.length} scenarios held`, ''];
  return [...all.map(prettyOne), ...end].join('\n');
};

const json = (all: readonly Simulated[]): string => {
  const shown = all.map((simulated) => {
    const { file, scenario, seed, run, verdicts } = simulated;
    const { connections, events } = run.journal;
    return {
      file,
      title: scenario.title,
      seed,
      held: isHeld(simulated),
      connections: connections.length,
      dispatched: connections.filter(({ openedAt }) => openedAt !== undefined).length,
      events,
      expectations: verdicts.map(({ text, isHeld: held, seen, at }) => ({
        expected: text,
        held,
        seen,
        ...(at === undefined ? {} : { atMs: at }),
      })),
      errors: run.faults,
    };
  });
  return `${JSON.stringify(shown, null, 2)}\n`;
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);

const junitCase = (
  { scenario, run }: Simulated,
  { text, isHeld: held, seen, at }: Verdict,
): string => {
  const name = `    <testcase name="${escaped(text)}"`;
  if (held) return `${name}/>`;
  const picture = at === undefined ? '' : `\n${draw(scenario, run, at).join('\n')}\n`;
  return `${name}>\n      <failure message="${escaped(seen)}">${escaped(picture)}</failure>\n    </testcase>`;
};

const junit = (all: readonly Simulated[]): string => {
  const suites = all.map((one) => {
    const { file, scenario, verdicts } = one;
    const failures = verdicts.filter((verdict) => !verdict.isHeld).length;
    const cases = verdicts.map((verdict) => junitCase(one, verdict));
    const head = `  <testsuite name="${escaped(scenario.title)}" file="${escaped(file)}" tests="${verdicts.length}" failures="${failures}">`;
    const faults = one.run.faults.map(escaped).join('\n');
    const errors = faults === '' ? [] : [`    <system-err>${faults}</system-err>`];
    return [head, ...cases, ...errors, '  </testsuite>'].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
};

/** Tells results in a format. */
export const report = (all: readonly Simulated[], format: Format): string => {
  if (format === 'json') return json(all);
  return format === 'junit' ? junit(all) : pretty(all);
};
