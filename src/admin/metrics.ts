/** Metrics for Prometheus: events are folded into numbers, and the numbers rendered when asked for. */
import type { RouterEvent } from '../event.ts';
import { counter } from './count.ts';
import { Exposition, type Value } from './exposition.ts';
import { type Gauges, look, type MetricSources } from './gauges.ts';
import type { Total } from './ledger.ts';
import { METRICS, type Metric } from './metric-list.ts';
import { extraLabel, type Labels, type Stat, scopeOf, type Tally } from './series.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { Tallies } from './tallies.ts';

/** The metrics of an app. */
export interface Metrics {
  /** Counts an event: a few additions to numbers, no text is made. */
  readonly record: (event: RouterEvent) => void;
  /**
   * Renders all metrics in the text format. `turn` lets the event loop turn between two slices, so that a
   * scrape never holds it up for long. Order: scrapes at the same time come one after the other.
   */
  readonly render: (turn: () => Promise<void>) => Promise<string>;
  /** The same of several processes, as summed up in a ledger. */
  readonly renderTotal: (total: Total, turn: () => Promise<void>) => Promise<string>;
  /** What this process has counted and sees now, for a ledger. */
  readonly snapshot: () => Snapshot;
  /** A worker had to be begun again. */
  readonly restarted: () => void;
}

/** Tallies that are rendered in one go; a stat has some 15 lines for each, other metrics one. */
const SLICE = { counter: 250, gauge: 250, stat: 25 } as const;

const NO_LABELS = {};

const statValues = (name: string, sharedLabels: Labels, stat: Stat): readonly Value[] => {
  const { bounds, counts, sum } = stat;
  let total = 0;
  const buckets = [...bounds, '+Inf'].map((le, i) => {
    total += counts[i] ?? 0;
    const labels = { le: String(le) };
    return { metricName: `${name}_bucket`, labels, sharedLabels, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels, value: sum },
    { metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value: total },
  ];
};

/** What a tally has under a metric; what is counted and what is looked at add up, as bytes do. */
const valuesOf = (metric: Metric, tally: Tally, gauges: Gauges): readonly Value[] => {
  const { name } = metric;
  const sharedLabels = tally.labels;
  if (metric.type === 'stat') {
    const stat = tally.stats.get(name);
    return stat === undefined ? [] : statValues(name, sharedLabels, stat);
  }
  const extra = extraLabel(metric);
  if (extra !== undefined) {
    const split = [...(tally.split.get(name) ?? [])];
    return split.map(([of, value]) => ({ labels: { [extra]: of }, sharedLabels, value }));
  }
  const counted = tally.counters.get(name);
  const seen = gauges.get(name, tally);
  if (counted === undefined && seen === undefined) return [];
  return [{ labels: NO_LABELS, sharedLabels, value: (counted ?? 0) + (seen ?? 0) }];
};

/**
 * Events are folded so many at a time: one after the other they cost a fraction of what each would cost between two
 * connections, for the processor has the way in its caches.
 */
const TOGETHER = 128;

class Collector implements Metrics {
  readonly #count: (event: RouterEvent) => void;
  /** Not folded yet. */
  #events: RouterEvent[] = [];
  readonly #sources: MetricSources;
  readonly #tallies: Tallies;
  readonly #exposition = new Exposition(METRICS);
  /** One scrape after the other: they share the exposition. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#tallies = new Tallies(sources.maxNameSeries);
    this.#count = counter(this.#tallies);
  }

  readonly record = (event: RouterEvent): void => {
    this.#events.push(event);
    if (this.#events.length >= TOGETHER) this.#fold();
  };

  readonly render = (turn: () => Promise<void>): Promise<string> =>
    this.#inTurn(async () => {
      const gauges = this.#look();
      const text = await this.#write({ of: (scope) => this.#tallies.of(scope), gauges }, turn);
      this.#prune(gauges);
      return text;
    });

  readonly renderTotal = (total: Total, turn: () => Promise<void>): Promise<string> =>
    this.#inTurn(() => this.#write(total, turn));

  readonly snapshot = (): Snapshot => {
    const gauges = this.#look();
    const snapshot = takeSnapshot(this.#tallies, gauges);
    this.#prune(gauges);
    return snapshot;
  };

  readonly restarted = (): void => this.#tallies.process.add('l5d:worker:restarts');

  #fold(): void {
    for (const event of this.#events) this.#count(event);
    this.#events = [];
  }

  #prune({ busy }: Gauges): void {
    const { keeps = () => false } = this.#sources;
    this.#tallies.prune((server) => busy.has(server), keeps);
  }

  #look(): Gauges {
    this.#fold();
    return look(this.#sources, this.#tallies);
  }

  #inTurn(render: () => Promise<string>): Promise<string> {
    const rendered = this.#last.then(render);
    this.#last = rendered.catch(() => undefined);
    return rendered;
  }

  async #write(total: Total, turn: () => Promise<void>): Promise<string> {
    const parts: string[] = [];
    for (const metric of METRICS) {
      for await (const part of this.#slices(metric, total)) {
        parts.push(part);
        await turn();
      }
    }
    return parts.join('');
  }

  async *#slices(metric: Metric, { of, gauges }: Total): AsyncGenerator<string> {
    const tallies = of(scopeOf(metric));
    const size = SLICE[metric.type];
    let isFirst = true;
    for (let from = 0; from < tallies.length; from += size) {
      const slice = tallies.slice(from, from + size);
      const values = slice.flatMap((tally) => valuesOf(metric, tally, gauges));
      if (values.length === 0) continue;
      yield await this.#exposition.write(metric.name, values, isFirst);
      isFirst = false;
    }
  }
}

/** Makes the metrics of an app; one per app. */
export const makeMetrics = (sources: MetricSources): Metrics => new Collector(sources);
