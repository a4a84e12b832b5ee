/** The text format of Prometheus: the library writes it, from values that it did not count. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from './metric-list.ts';
import type { Labels } from './series.ts';

/** One sample. */
export interface Value {
  /** Where it differs from the metric’s: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
  /** Labels of this sample alone; they stand first. */
  readonly labels: Labels;
  /** Labels that many samples have: the library makes their text once for each object. */
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** What `/metrics` says it is. */
export const CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

const KINDS = { counter: Counter, gauge: Gauge, stat: Histogram } as const;
const TYPES = { counter: 'counter', gauge: 'gauge', stat: 'histogram' } as const;

/** HELP and TYPE. */
const HEADER_LINES = /^(?:#.*\n)+/;

/** Writes metrics. Order: one `write` after the other; what is rendered stands here in between. */
export class Exposition {
  readonly #registry = new Registry();
  #values: readonly Value[] = [];

  constructor(metrics: readonly Metric[]) {
    for (const metric of metrics) this.#add(metric);
  }

  /** Writes some values of a metric, each line with its break; HELP and TYPE go before the first ones only. */
  async write(name: string, values: readonly Value[], isFirst: boolean): Promise<string> {
    this.#values = values;
    const written = await this.#registry.getSingleMetricAsString(name);
    this.#values = [];
    return `${isFirst ? written : written.replace(HEADER_LINES, '')}\n`;
  }

  /** Registers a metric that gives the values at hand instead of counting its own. */
  #add({ name, type, help, labels }: Metric): void {
    const kind = new KINDS[type]({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
    });
    const get = async () => ({ name, help, type: TYPES[type], values: this.#values });
    Object.assign(kind, { get, getForPromString: get });
  }
}
