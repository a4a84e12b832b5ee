/** Series of numbers: counters and histograms under labels, as cheap to add to as a number in a map. Pure, but that tallies are numbered. */
import { bucketsOf, METRICS, type Metric } from './metric-list.ts';

/** Label values by label. */
export type Labels = Readonly<Record<string, string>>;

/** A histogram: how many values fell into each bucket, and their sum. */
export class Stat {
  /** Upper bounds, inclusive, ascending. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last is for what lies above. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value > (bounds[middle] ?? 0)) low = middle + 1;
      else high = middle;
    }
    counts[low] = (counts[low] ?? 0) + 1;
    this.sum += value;
  }
}

/** What a tally counts: a router, an interpreter’s namespace, a server, a name, a worker, or the process. */
export type Scope = 'process' | 'worker' | 'router' | 'namespace' | 'server' | 'name';

/** What a metric belongs to, by its labels. */
export const scopeOf = ({ labels }: Metric): Scope => {
  if (labels.includes('dst')) return 'name';
  if (labels.includes('worker')) return 'worker';
  if (labels.includes('srv_addr')) return 'server';
  if (labels.includes('namespace')) return 'namespace';
  return labels.includes('rt') ? 'router' : 'process';
};

/** A label that stands beside those of the tally: the cause of a failure, the reason of a close. */
export const extraLabel = ({ labels }: Metric): string | undefined =>
  labels.find((label) => label === 'cause' || label === 'reason' || label === 'found');

const BOUNDS = new Map(METRICS.map(({ name }) => [name, bucketsOf(name)]));

/** Counters and stats that exist from the start, at 0: a rate needs the step from there to 1. */
const atZero = (type: 'counter' | 'stat', scope: Scope): readonly string[] =>
  METRICS.filter((metric) => metric.type === type && scopeOf(metric) === scope)
    .filter(
      (metric) => extraLabel(metric) === undefined && metric.name !== 'l5d:srv:tls:handshake_us',
    )
    .map(({ name }) => name);

const zerosOf = (scope: Scope) => ({
  counters: atZero('counter', scope),
  stats: atZero('stat', scope),
});

const ZEROS = {
  process: zerosOf('process'),
  worker: zerosOf('worker'),
  router: zerosOf('router'),
  namespace: zerosOf('namespace'),
  server: zerosOf('server'),
  name: zerosOf('name'),
};

let made = 0;

/** The counters and stats of one thing, such as one server. Bounds: the metrics, and their closed lists of causes. */
export class Tally {
  /** Tells it from others of this process, also from one of the same thing that is no more. */
  readonly serial = ++made;
  readonly labels: Labels;
  readonly counters = new Map<string, number>();
  /** By metric, then by the value of its extra label. */
  readonly split = new Map<string, Map<string, number>>();
  readonly stats = new Map<string, Stat>();

  constructor(scope: Scope, labels: Labels) {
    this.labels = labels;
    for (const name of ZEROS[scope].counters) this.counters.set(name, 0);
    for (const name of ZEROS[scope].stats) this.stats.set(name, new Stat(BOUNDS.get(name) ?? []));
  }

  add(name: string, amount = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + amount);
  }

  /** Counts under a value of the metric’s extra label. */
  addBy(name: string, value: string, amount = 1): void {
    let counts = this.split.get(name);
    if (counts === undefined) {
      counts = new Map();
      this.split.set(name, counts);
    }
    counts.set(value, (counts.get(value) ?? 0) + amount);
  }

  observe(name: string, value: number): void {
    let stat = this.stats.get(name);
    if (stat === undefined) {
      stat = new Stat(BOUNDS.get(name) ?? []);
      this.stats.set(name, stat);
    }
    stat.add(value);
  }
}
