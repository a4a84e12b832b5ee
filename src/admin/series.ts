/** Series of numbers: counters and histograms under labels, as cheap to add to as a number in a map. Pure. */
import { bucketsOf, METRICS } from './metric-list.ts';

export type Labels = Readonly<Record<string, string>>;

/** A histogram: how many values fell into each bucket, and their sum. */
export class Stat {
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
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }

  /** Takes over what another has counted. */
  merge({ counts, sum }: Stat): void {
    for (const [i, count] of counts.entries()) this.counts[i] = (this.counts[i] ?? 0) + count;
    this.sum += sum;
  }
}

const BUCKETS = new Map(METRICS.map(({ name }) => [name, bucketsOf(name)]));

/** The counters and stats of one thing, such as one server: made when they are first used. */
export class Tally {
  readonly labels: Labels;
  /** By metric, or by metric and one further label’s value: `l5d:srv:close idle-timeout`. */
  readonly counters = new Map<string, number>();
  readonly stats = new Map<string, Stat>();

  constructor(labels: Labels) {
    this.labels = labels;
  }

  add(name: string, amount = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + amount);
  }

  observe(name: string, value: number): void {
    let stat = this.stats.get(name);
    if (stat === undefined) {
      stat = new Stat(BUCKETS.get(name) ?? []);
      this.stats.set(name, stat);
    }
    stat.add(value);
  }

  /** Takes over what another has counted. */
  merge(other: Tally): void {
    for (const [name, amount] of other.counters) this.add(name, amount);
    for (const [name, stat] of other.stats) {
      const mine = this.stats.get(name) ?? new Stat(stat.bounds);
      this.stats.set(name, mine);
      mine.merge(stat);
    }
  }
}
