/** What several processes have counted, as one: sums that never fall, though processes come and go. Pure. */
import { Gauges } from './gauges.ts';
import { METRICS } from './metric-list.ts';
import { type Scope, Stat, Tally } from './series.ts';
import type { Counted, Snapshot } from './snapshot.ts';

const AMONG = new Map(METRICS.map(({ name, among }) => [name, among]));

const keyOf = ({ scope, labels }: Counted): string => JSON.stringify([scope, labels]);

const absorb = (tally: Tally, { counters, split, stats }: Counted): void => {
  for (const [name, value] of counters) tally.add(name, value);
  for (const [name, counts] of split)
    for (const [value, count] of counts) tally.addBy(name, value, count);
  for (const [name, { bounds, counts, sum }] of stats) {
    const stat = tally.stats.get(name) ?? new Stat(bounds);
    tally.stats.set(name, stat);
    counts.forEach((count, i) => {
      stat.counts[i] = (stat.counts[i] ?? 0) + count;
    });
    stat.sum += sum;
  }
};

type Sums = Map<string, { readonly scope: Scope; readonly tally: Tally }>;

/** How many connections each process holds that holds any: who serves, and how evenly. */
const noteActive = (
  sums: Sums,
  gauges: Gauges,
  name: string,
  process: ReadonlyMap<string, Counted>,
): void => {
  const servers = [...process.values()].filter(({ scope }) => scope === 'server');
  if (servers.length === 0) return;
  const tally = new Tally('worker', { worker: name });
  sums.set(`worker ${name}`, { scope: 'worker', tally });
  for (const server of servers)
    gauges.note(tally, 'l5d:worker:active', server.gauges.get('l5d:srv:active') ?? 0);
};

/** Adds what one process sees to what others do. */
const noteAmong = (gauges: Gauges, tally: Tally, metric: string, value: number): void => {
  const among = AMONG.get(metric);
  if (among === 'most') gauges.note(tally, metric, value, Math.max);
  else if (among === 'sum') gauges.note(tally, metric, value);
};

/** The sum of several processes, as a scrape needs it. */
export interface Total {
  readonly of: (scope: Scope) => readonly Tally[];
  /** Without those that the primary knows. */
  readonly gauges: Gauges;
}

/**
 * Sums processes. What a process had counted stays when it ends, or lets a name go that others hold; it goes
 * when no process has the thing any more. Bounds: as the tallies of all processes.
 */
export class Ledger {
  readonly #last = new Map<string, ReadonlyMap<string, Counted>>();
  /** Counted by what is no more. */
  readonly #settled = new Map<string, { readonly scope: Scope; readonly tally: Tally }>();

  /** Takes the latest of a process. */
  update(process: string, snapshot: Snapshot): void {
    const next = new Map(snapshot.map((counted) => [keyOf(counted), counted]));
    for (const [key, counted] of this.#last.get(process) ?? [])
      if (!next.has(key)) this.#settle(key, counted);
    this.#last.set(process, next);
  }

  /** A process has ended: what it told last stands. */
  lost(process: string): void {
    for (const [key, counted] of this.#last.get(process) ?? []) this.#settle(key, counted);
    this.#last.delete(process);
  }

  /** The sum. `isComplete`: every process that runs has told; what none of them has is forgotten then. */
  total(isComplete: boolean): Total {
    const sums: Sums = new Map();
    const gauges = new Gauges();
    for (const [name, process] of this.#last) {
      noteActive(sums, gauges, name, process);
      for (const [key, counted] of process) {
        const { scope, labels } = counted;
        const sum = sums.get(key) ?? { scope, tally: new Tally(scope, labels) };
        sums.set(key, sum);
        absorb(sum.tally, counted);
        for (const [metric, value] of counted.gauges) noteAmong(gauges, sum.tally, metric, value);
      }
    }
    this.#addSettled(sums, isComplete);
    const all = [...sums.values()];
    return {
      of: (wanted) => all.filter(({ scope }) => scope === wanted).map(({ tally }) => tally),
      gauges,
    };
  }

  #addSettled(sums: Sums, isComplete: boolean): void {
    for (const [key, { scope, tally }] of this.#settled) {
      const sum = sums.get(key);
      if (sum !== undefined) absorb(sum.tally, { ...tally, scope, gauges: new Map() });
      else if (isComplete) this.#settled.delete(key);
      else sums.set(key, { scope, tally });
    }
  }

  #settle(key: string, counted: Counted): void {
    const { scope, labels } = counted;
    const settled = this.#settled.get(key) ?? { scope, tally: new Tally(scope, labels) };
    this.#settled.set(key, settled);
    absorb(settled.tally, counted);
  }
}
