/** The text format of Prometheus: the library writes it, from values that it did not count. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from './metric-list.ts';

/** One sample. */
export interface Value {
  /** Where it differs from the metric’s: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

const KINDS = { counter: Counter, gauge: Gauge, stat: Histogram } as const;

/** Renders one metric with its HELP and TYPE, without a line break at the end. */
export const renderMetric = async (
  { name, type, help, labels }: Metric,
  values: readonly Value[],
): Promise<string> => {
  const registry = new Registry();
  const kind = new KINDS[type]({ name, help, labelNames: [...labels], registers: [registry] });
  const snapshot = { ...(await kind.get()), values };
  const get = async () => snapshot;
  Object.assign(kind, { get, getForPromString: get });
  return (await registry.getSingleMetricAsString(name)).trimEnd();
};
