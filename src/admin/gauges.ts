/** Numbers that are not counted but looked at, once at each scrape. Pure. */
import type { NameGauges, RecorderGauges, ServerGauges } from '../view.ts';
import type { Tally } from './series.ts';
import type { Tallies } from './tallies.ts';

/** What a served API has counted. */
export interface ApiCounts {
  readonly watches: number;
  readonly requests: number;
  readonly refused: number;
}

/** Where numbers come from that are not counted but looked at. */
export interface MetricSources {
  readonly names: () => Iterable<NameGauges>;
  readonly servers: () => Iterable<ServerGauges>;
  readonly bufferedBytes: () => number;
  /** Of a served API, if there is one. */
  readonly api?: () => ApiCounts;
  readonly logDropped: () => number;
  /** `undefined`: nothing is recorded. */
  readonly recorder?: () => RecorderGauges | undefined;
  /** Whether a router is kept in mind that has neither server nor name in this process. */
  readonly keeps?: (rt: string) => boolean;
  /** Most names with series of their own. */
  readonly maxNameSeries: () => number;
}

const AGE = 'l5d:balancer:resolution_age_seconds';

/** One look at everything, by metric and by the tally whose labels a number has. */
export class Gauges {
  readonly #metrics = new Map<string, Map<Tally, number>>();
  /** The servers that were seen. */
  readonly busy = new Set<Tally>();

  /** `undefined`: nothing was seen. */
  get(metric: string, tally: Tally): number | undefined {
    return this.#metrics.get(metric)?.get(tally);
  }

  /** Every number. */
  *all(): IterableIterator<readonly [metric: string, tally: Tally, value: number]> {
    for (const [metric, numbers] of this.#metrics)
      for (const [tally, value] of numbers) yield [metric, tally, value];
  }

  /** Notes a number; those of names that share a tally are merged. */
  note(tally: Tally, metric: string, value: number, merge = ofNames(metric)): void {
    const numbers = this.#metrics.get(metric) ?? new Map<Tally, number>();
    const known = numbers.get(tally);
    this.#metrics.set(
      metric,
      numbers.set(tally, known === undefined ? value : merge(known, value)),
    );
  }
}

const sum = (a: number, b: number): number => a + b;

/** Names that share a tally add up, but for an age: the oldest counts. */
const ofNames = (metric: string): ((a: number, b: number) => number) =>
  metric === AGE ? Math.max : sum;

/** Looks at everything. */
export const look = (sources: MetricSources, tallies: Tallies): Gauges => {
  const gauges = new Gauges();
  for (const router of tallies.of('router')) gauges.note(router, 'l5d:router:names', 0);
  for (const name of sources.names()) {
    gauges.note(tallies.router(name.rt), 'l5d:router:names', 1);
    const tally = tallies.names.get(name.rt, name.dst);
    if (tally !== undefined) noteName(gauges, tally, name);
  }
  for (const { rt, srv, active, waiters, rx, tx } of sources.servers()) {
    const tally = tallies.server(rt, srv);
    gauges.busy.add(tally);
    gauges.note(tally, 'l5d:srv:active', active);
    gauges.note(tally, 'l5d:srv:waiters', waiters);
    gauges.note(tally, 'l5d:srv:stream:rx_bytes', rx);
    gauges.note(tally, 'l5d:srv:stream:tx_bytes', tx);
  }
  gauges.note(tallies.process, 'l5d:buffered_bytes', sources.bufferedBytes());
  gauges.note(tallies.process, 'l5d:log:dropped', sources.logDropped());
  const recorded = sources.recorder?.();
  if (recorded !== undefined) {
    gauges.note(tallies.process, 'l5d:recorder:bytes', recorded.bytes);
    gauges.note(tallies.process, 'l5d:recorder:seconds', recorded.seconds);
    gauges.note(tallies.process, 'l5d:recorder:overflows', recorded.overflows);
  }
  if (sources.api !== undefined) {
    const { watches, requests, refused } = sources.api();
    gauges.note(tallies.process, 'l5d:namerd:watches', watches);
    gauges.note(tallies.process, 'l5d:namerd:requests', requests);
    gauges.note(tallies.process, 'l5d:namerd:refused', refused);
  }
  return gauges;
};

const noteName = (gauges: Gauges, tally: Tally, name: NameGauges): void => {
  gauges.note(tally, 'l5d:balancer:endpoint:available', name.available);
  gauges.note(tally, 'l5d:balancer:endpoint:failed', name.failed);
  gauges.note(tally, 'l5d:balancer:endpoint:retired', name.retired);
  gauges.note(tally, 'l5d:balancer:connection:pending', name.pending);
  gauges.note(tally, 'l5d:balancer:connection:open', name.open);
  gauges.note(tally, 'l5d:balancer:waiters', name.waiters);
  const { resolutionAgeMs: age, branches } = name;
  if (branches !== undefined) {
    gauges.note(tally, 'l5d:balancer:branch:available', branches.available);
    gauges.note(tally, 'l5d:balancer:branch:failed', branches.failed);
  }
  if (age !== undefined) gauges.note(tally, AGE, age / 1000);
};
