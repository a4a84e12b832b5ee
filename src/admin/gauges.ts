/** Numbers that are not counted but looked at, at each scrape. Pure. */
import type { NameGauges, ServerGauges } from '../view.ts';
import type { Value } from './exposition.ts';
import type { Labels } from './series.ts';

/** Where numbers come from that are not counted but looked at. */
export interface MetricSources {
  readonly names: () => Iterable<NameGauges>;
  readonly servers: () => Iterable<ServerGauges>;
  readonly bufferedBytes: () => number;
  readonly logDropped: () => number;
  /** Most names with series of their own. */
  readonly maxNameSeries: () => number;
}

/** The values of each metric. */
export type Gauges = ReadonlyMap<string, readonly Value[]>;

/** Looks at everything once. `owned` says which names have series of their own. */
export const gaugesOf = (
  sources: MetricSources,
  owned: (rt: string, dst: string) => boolean,
): Gauges => {
  const gauges = new Map<string, Value[]>();
  const add = (name: string, labels: Labels, value: number): void => {
    const values = gauges.get(`l5d:${name}`) ?? [];
    gauges.set(`l5d:${name}`, values);
    values.push({ labels: { ...labels }, value });
  };
  const counts = new Map<string, number>();
  for (const name of sources.names()) {
    const { rt, dst, resolutionAgeMs } = name;
    counts.set(rt, (counts.get(rt) ?? 0) + 1);
    if (!owned(rt, dst)) continue;
    const labels = { dst, rt };
    add('balancer:endpoint:available', labels, name.available);
    add('balancer:endpoint:failed', labels, name.failed);
    add('balancer:endpoint:retired', labels, name.retired);
    add('balancer:connection:pending', labels, name.pending);
    add('balancer:connection:open', labels, name.open);
    add('balancer:waiters', labels, name.waiters);
    if (resolutionAgeMs !== undefined)
      add('balancer:resolution_age_seconds', labels, resolutionAgeMs / 1000);
  }
  for (const [rt, count] of counts) add('router:names', { rt }, count);
  for (const { rt, srv, active, waiters, rx, tx } of sources.servers()) {
    const labels = { rt, srv_addr: srv };
    add('srv:active', labels, active);
    add('srv:waiters', labels, waiters);
    add('srv:stream:rx_bytes', labels, rx);
    add('srv:stream:tx_bytes', labels, tx);
  }
  add('buffered_bytes', {}, sources.bufferedBytes());
  add('log:dropped', {}, sources.logDropped());
  return gauges;
};
