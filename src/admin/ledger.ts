/** What several processes have counted, as one: sums that never fall, though processes come and go. Pure. */
import { Gauges } from './gauges.ts';
import { METRICS } from './metric-list.ts';
import { OTHER_NAMES } from './name-tallies.ts';
import { OwnNames } from './own-names.ts';
import { type Labels, type Scope, Stat, Tally } from './series.ts';
import type { Counted, Snapshot } from './snapshot.ts';

const AMONG = new Map(METRICS.map(({ name, among }) => [name, among]));

const keyOf = ({ scope, labels }: Pick<Counted, 'scope' | 'labels'>): string =>
  JSON.stringify([scope, labels]);

type Numbers = Pick<Counted, 'counters' | 'split' | 'stats'>;

const absorb = (tally: Tally, { counters, split, stats }: Numbers): void => {
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

/** Where something is summed. */
interface Place {
  readonly key: string;
  readonly scope: Scope;
  readonly labels: Labels;
}

/** What a process has told of a thing. */
interface Told {
  readonly counted: Counted;
  readonly place: Place;
}

type Sums = Map<string, { readonly scope: Scope; readonly tally: Tally }>;

const addTo = (sums: Sums, { key, scope, labels }: Place, numbers: Numbers): Tally => {
  const sum = sums.get(key) ?? { scope, tally: new Tally(scope, labels) };
  sums.set(key, sum);
  absorb(sum.tally, numbers);
  return sum.tally;
};

/** How many connections each process holds that holds any: who serves, and how evenly. */
const noteActive = (
  sums: Sums,
  gauges: Gauges,
  name: string,
  process: ReadonlyMap<string, Told>,
): void => {
  const servers = [...process.values()].filter(({ place }) => place.scope === 'server');
  if (servers.length === 0) return;
  const tally = new Tally('worker', { worker: name });
  sums.set(`worker ${name}`, { scope: 'worker', tally });
  for (const { counted } of servers)
    gauges.note(tally, 'l5d:worker:active', counted.gauges.get('l5d:srv:active') ?? 0);
};

/** Adds what one process sees to what others do. */
const noteAmong = (gauges: Gauges, seen: Gauges): void => {
  for (const [metric, tally, value] of seen.all()) {
    const among = AMONG.get(metric);
    if (among === 'most') gauges.note(tally, metric, value, Math.max);
    else if (among === 'sum') gauges.note(tally, metric, value);
  }
};

/** The sum of several processes, as a scrape needs it. */
export interface Total {
  readonly of: (scope: Scope) => readonly Tally[];
  /** Without those that the primary knows. */
  readonly gauges: Gauges;
}

/**
 * Sums processes. What a process had counted stays when it ends, or lets a name go that others hold; it goes when no
 * process has the thing any more, and whoever has ended has told again. So many names as `mostOwnNames` says have series of
 * their own, though each process may have chosen others. Bounds: as the tallies of all processes.
 */
export class Ledger {
  readonly #last = new Map<string, ReadonlyMap<string, Told>>();
  /** Counted by what is no more. */
  readonly #settled: Sums = new Map();
  /** What processes had that have ended, until they tell again. */
  readonly #awaited = new Map<string, ReadonlySet<string>>();
  readonly #ownNames: OwnNames;

  constructor(mostOwnNames: () => number) {
    this.#ownNames = new OwnNames(mostOwnNames);
  }

  /** Takes the latest of a process. */
  update(process: string, snapshot: Snapshot): void {
    const next = new Map(
      snapshot.map((counted) => {
        const key = keyOf(counted);
        return [key, { counted, place: this.#placeOf(key, counted) }];
      }),
    );
    const before = this.#last.get(process) ?? [];
    const gone = [...before].flatMap(([key, told]) =>
      next.get(key)?.counted.serial === told.counted.serial ? [] : [told],
    );
    this.#last.set(process, next);
    const isBack = this.#awaited.delete(process);
    if (gone.length > 0 || isBack) this.#letGo(gone);
  }

  /** A process has ended: what it told last stands. */
  lost(process: string): void {
    const last = this.#last.get(process);
    if (last === undefined) return;
    const had = new Set<string>();
    for (const { counted, place } of last.values()) {
      addTo(this.#settled, place, counted);
      had.add(place.key);
    }
    this.#last.delete(process);
    this.#awaited.set(process, had);
  }

  /** The sum. */
  total(): Total {
    const sums: Sums = new Map();
    const gauges = new Gauges();
    for (const [name, process] of this.#last) {
      noteActive(sums, gauges, name, process);
      const seen = new Gauges();
      for (const { counted, place } of process.values()) {
        const tally = addTo(sums, place, counted);
        for (const [metric, value] of counted.gauges) seen.note(tally, metric, value);
      }
      noteAmong(gauges, seen);
    }
    for (const [key, { scope, tally }] of this.#settled)
      addTo(sums, { key, scope, labels: tally.labels }, tally);
    const all = [...sums.values()];
    return {
      of: (wanted) => all.filter(({ scope }) => scope === wanted).map(({ tally }) => tally),
      gauges,
    };
  }

  /** A name that has no series of its own shares one with others of its router. */
  #placeOf(key: string, { scope, labels }: Counted): Place {
    const place = { key, scope, labels };
    if (scope !== 'name' || labels['dst'] === OTHER_NAMES || this.#ownNames.has(key)) return place;
    const shared = { scope, labels: { ...labels, dst: OTHER_NAMES } };
    return { key: keyOf(shared), ...shared };
  }

  /** Settles what others still hold, and forgets what nobody does. */
  #letGo(gone: readonly Told[]): void {
    const held = new Set<string>();
    for (const process of this.#last.values())
      for (const [key, { place }] of process) held.add(key).add(place.key);
    const isWanted = (key: string): boolean =>
      held.has(key) || [...this.#awaited.values()].some((had) => had.has(key));
    for (const { counted, place } of gone) addTo(this.#settled, place, counted);
    for (const key of this.#settled.keys()) if (!isWanted(key)) this.#settled.delete(key);
    this.#ownNames.forget((key) => !held.has(key) && !this.#settled.has(key));
  }
}
