/** What a process has counted, and sees now, at one moment: plain data, for whoever sums it up. Pure. */
import type { Gauges } from './gauges.ts';
import { METRICS } from './metric-list.ts';
import type { Labels, Scope, Stat } from './series.ts';
import type { Tallies } from './tallies.ts';

/** One tally of one process at one moment: plain data. */
export interface Counted {
  /** The same in the next snapshot: it goes on. Another: a thing of this name was let go, and there is a new one. */
  readonly serial: number;
  readonly scope: Scope;
  readonly labels: Labels;
  readonly counters: ReadonlyMap<string, number>;
  readonly split: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly stats: ReadonlyMap<string, Pick<Stat, 'bounds' | 'counts' | 'sum'>>;
  readonly gauges: ReadonlyMap<string, number>;
}

/** All tallies of one process at one moment. */
export type Snapshot = readonly Counted[];

const SCOPES: readonly Scope[] = ['process', 'router', 'namespace', 'server', 'name'];

const namesOf = (type: 'counter' | 'gauge'): readonly string[] =>
  METRICS.filter((metric) => metric.type === type).map(({ name }) => name);

const COUNTERS = namesOf('counter');
const GAUGES = namesOf('gauge');

/** Copies what a process has counted, and sees now. */
export const takeSnapshot = (tallies: Tallies, gauges: Gauges): Snapshot =>
  SCOPES.flatMap((scope) =>
    tallies.of(scope).map((tally) => {
      const counters = new Map(tally.counters);
      for (const name of COUNTERS) {
        const seen = gauges.get(name, tally);
        if (seen !== undefined) counters.set(name, (counters.get(name) ?? 0) + seen);
      }
      const looked = GAUGES.flatMap((name): [string, number][] => {
        const seen = gauges.get(name, tally);
        return seen === undefined ? [] : [[name, seen]];
      });
      const { serial, labels, split, stats } = tally;
      return { serial, scope, labels, counters, split, stats, gauges: new Map(looked) };
    }),
  );
