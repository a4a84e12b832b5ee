/** What the recorder costs: new connections while it is on and while it is off, in two processes that change places by reloads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { waitFor } from './children.ts';
import { type Contender, configFileOf, linkerdTcp } from './contenders.ts';
import { type Group, OURS, type Row } from './results.ts';
import { measure, within } from './rounds.ts';

const LOAD = { t: 'connections', count: 2_000, perSecond: 2_000 } as const;

/** What is looked for is less than the noise of one round, some 10 %: in each phase so many times the usual rounds are made. */
const TIMES = 3;

/** After a reload, and before what is measured: code that has seen something new is compiled anew, and that takes so many. */
const SETTLING = { ...LOAD, count: 25_000 };

/** Each process is in each place as often, so that what differs between them does not count. */
const PHASES = 4;

const record = async ({ child, name }: Contender, isOn: boolean): Promise<void> => {
  if (child === undefined) return;
  const file = configFileOf(name);
  const { recorder: _, ...config } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(isOn ? { recorder: {}, ...config } : config));
  const admin = await waitFor(child, () => /admin listening addr=(\S+)/.exec(child.said())?.[1]);
  const { ok } = await fetch(`http://${admin}/reload`, { method: 'POST' });
  if (!ok) throw new Error('the reload failed');
};

/** The n-th values of both are of one round. */
export const recorder: Group = async ({ rounds, say }) => {
  const values: Record<'on' | 'off', number[]> = { on: [], off: [] };
  const recipes = ['one', 'other'].map((name) => linkerdTcp({ name, isPlain: true }));
  await within(recipes, async ({ peer, contenders }) => {
    for (let phase = 0; phase < PHASES; phase++) {
      const isOn = (i: number): boolean => i === phase % 2;
      for (const [i, contender] of contenders.entries()) {
        await record(contender, isOn(i));
        await measure(peer, contender, SETTLING);
      }
      for (let round = 0; round < TIMES * rounds; round++) {
        const order = [...contenders.entries()];
        for (const [i, contender] of round % 2 === 0 ? order : order.reverse()) {
          const { cpuNs } = await measure(peer, contender, LOAD);
          values[isOn(i) ? 'on' : 'off'].push(cpuNs / 1e3 / LOAD.count);
        }
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
