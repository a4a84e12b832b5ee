/** What the recorder costs: new connections while it is on and while it is off, in one process, by reloads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Child, waitFor } from './children.ts';
import { configFileOf, linkerdTcp } from './contenders.ts';
import { type Group, OURS, type Row } from './results.ts';
import { measure, within } from './rounds.ts';

const LOAD = { t: 'connections', count: 4_000, perSecond: 2_000 } as const;

/** What is looked for is less than the noise of one round: so many times the usual rounds are made. */
const TIMES = 2;
const WARMING = { ...LOAD, count: 15_000 };

/** After a reload, and before what is measured: code that has seen something new is compiled anew. */
const SETTLING = { ...LOAD, count: 5_000 };

const switchTo = async (child: Child, file: string, isOn: boolean): Promise<void> => {
  const { recorder: _, ...config } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(isOn ? { recorder: {}, ...config } : config));
  const admin = await waitFor(child, () => /admin listening addr=(\S+)/.exec(child.said())?.[1]);
  const { ok } = await fetch(`http://${admin}/reload`, { method: 'POST' });
  if (!ok) throw new Error('the reload failed');
};

/** One process, so that what differs from one to the next does not count. */
export const recorder: Group = async ({ rounds, say }) => {
  const values: Record<'on' | 'off', number[]> = { on: [], off: [] };
  await within([linkerdTcp()], async ({ peer, contenders: [contender] }) => {
    if (contender?.child === undefined) return;
    await measure(peer, contender, WARMING);
    for (let round = 0; round < TIMES * rounds; round++) {
      for (const mode of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        await switchTo(contender.child, configFileOf(contender.name), mode === 'on');
        await measure(peer, contender, SETTLING);
        const { cpuNs } = await measure(peer, contender, LOAD);
        values[mode].push(cpuNs / 1e3 / LOAD.count);
      }
    }
  });
  say('recorder');
  const row: Row = {
    id: 'recorder/cpu',
    title: 'new connections while they are recorded: CPU each',
    unit: 'µs',
    values: new Map([
      [OURS, values.on],
      ['not recording', values.off],
    ]),
  };
  return [row];
};
