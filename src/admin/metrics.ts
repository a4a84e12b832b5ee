/** Metrics for Prometheus: events are folded into numbers, and the numbers rendered when asked for. */
import type { RouterEvent } from '../event.ts';
import { CONTENT_TYPE, renderMetric, type Value } from './exposition.ts';
import { type Gauges, gaugesOf, type MetricSources } from './gauges.ts';
import { METRICS, type Metric } from './metric-list.ts';
import type { Labels, Stat, Tally } from './series.ts';
import { Tallies } from './tallies.ts';

export interface Metrics {
  /** Counts an event. A few additions to numbers; no text is made. */
  readonly record: (event: RouterEvent) => void;
  /**
   * Renders all metrics in the text format. `turn` lets the event loop turn between two metrics, so that a
   * scrape never holds it up for long.
   */
  readonly render: (turn: () => Promise<void>) => Promise<string>;
  readonly contentType: string;
}

const histogram = (
  name: string,
  labels: Labels,
  { bounds, counts, sum }: Stat,
): readonly Value[] => {
  let total = 0;
  const buckets = [...bounds, '+Inf'].map((le, i) => {
    total += counts[i] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le: String(le), ...labels }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
    { metricName: `${name}_count`, labels: { ...labels }, value: total },
  ];
};

/** What one tally has under one metric, with the label that stands beside the tally’s own, if there is one. */
const valuesOf = ({ name, type, labels }: Metric, tally: Tally): readonly Value[] => {
  if (type === 'stat') {
    const stat = tally.stats.get(name);
    return stat === undefined ? [] : histogram(name, tally.labels, stat);
  }
  const [extra] = labels.filter((label) => !(label in tally.labels));
  const values: Value[] = [];
  for (const [key, value] of tally.counters) {
    if (key === name) values.push({ labels: { ...tally.labels }, value });
    else if (extra !== undefined && key.startsWith(`${name} `))
      values.push({ labels: { [extra]: key.slice(name.length + 1), ...tally.labels }, value });
  }
  return values;
};

const keyOf = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort());

/** Adds up values that have the same labels: bytes of streams that have ended, and of those that are open. */
const summed = (values: readonly Value[]): Value[] => {
  const sums = new Map<string, Value>();
  for (const value of values) {
    const key = keyOf(value.labels);
    const known = sums.get(key);
    sums.set(key, known === undefined ? value : { ...known, value: known.value + value.value });
  }
  return [...sums.values()];
};

class Collector implements Metrics {
  readonly #sources: MetricSources;
  readonly #tallies: Tallies;
  /** One scrape after the other: they share what they render from. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#tallies = new Tallies(sources.maxNameSeries);
  }

  readonly contentType = CONTENT_TYPE;

  readonly record = (event: RouterEvent): void => this.#tallies.record(event);

  readonly render = (turn: () => Promise<void>): Promise<string> => {
    const rendered = this.#queue.then(() => this.#render(turn));
    this.#queue = rendered.catch(() => undefined);
    return rendered;
  };

  async #render(turn: () => Promise<void>): Promise<string> {
    const { names } = this.#tallies;
    const gauges = gaugesOf(this.#sources, (rt, dst) => names.get(rt)?.has(dst) === true);
    const parts: string[] = [];
    for (const metric of METRICS) {
      await turn();
      parts.push(await this.#renderOne(metric, gauges));
    }
    return `${parts.filter((part) => part !== '').join('\n')}\n`;
  }

  async #renderOne(metric: Metric, gauges: Gauges): Promise<string> {
    const counted = [...this.#allTallies(metric)].flatMap((tally) => valuesOf(metric, tally));
    const looked = gauges.get(metric.name) ?? [];
    const values =
      looked.length > 0 && counted.length > 0
        ? summed([...counted, ...looked])
        : [...counted, ...looked];
    if (values.length === 0) return '';
    return renderMetric(metric, values);
  }

  *#allTallies({ labels }: Metric): IterableIterator<Tally> {
    const { routers, namespaces, servers, names } = this.#tallies;
    const group = labels.includes('dst')
      ? names
      : labels.includes('srv_addr')
        ? servers
        : labels.includes('namespace')
          ? namespaces
          : undefined;
    if (group === undefined) yield* routers.values();
    else for (const tallies of group.values()) yield* tallies.values();
  }
}

/** Makes the metrics of an app; one per app. */
export const makeMetrics = (sources: MetricSources): Metrics => new Collector(sources);
