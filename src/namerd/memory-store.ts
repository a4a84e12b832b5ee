/** Dtabs in memory: those that the configuration gives, and what is made of them while it runs. */
import { BehaviorSubject, defer, distinctUntilChanged, map, type Observable, of } from 'rxjs';
import type { Dtab } from '../dtab/dtab.ts';
import type { DtabStore, Outcome, StoredDtab } from './store.ts';

/** Most namespaces. */
const MOST_NAMESPACES = 1000;

const VERSION_BYTES = 8;

/** A counter, big-endian. Source: namerd’s in-memory store. */
const versionOf = (count: number): Uint8Array => {
  const bytes = new Uint8Array(VERSION_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count));
  return bytes;
};

const countOf = ({ buffer, byteOffset }: Uint8Array): number =>
  Number(new DataView(buffer, byteOffset, VERSION_BYTES).getBigUint64(0));

const isSameVersion = (one: Uint8Array, other: Uint8Array): boolean =>
  Buffer.compare(one, other) === 0;

const isSameSet = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((name) => other.has(name));

/** Dtabs that end with the process. Bounds: 1000 namespaces. */
export class MemoryStore implements DtabStore {
  readonly #dtabs$: BehaviorSubject<ReadonlyMap<string, StoredDtab>>;
  /** The highest version of what was removed: one that comes again must not have a version of the one before. */
  #removed = 0;
  readonly list$: Observable<ReadonlySet<string>>;

  constructor(first: ReadonlyMap<string, Dtab>) {
    const stored = [...first].map(
      ([namespace, dtab]) => [namespace, { dtab, version: versionOf(1) }] as const,
    );
    this.#dtabs$ = new BehaviorSubject<ReadonlyMap<string, StoredDtab>>(new Map(stored));
    this.list$ = this.#dtabs$.pipe(
      map((dtabs) => new Set(dtabs.keys())),
      distinctUntilChanged(isSameSet),
    );
  }

  readonly watch = (namespace: string): Observable<StoredDtab | undefined> =>
    this.#dtabs$.pipe(
      map((dtabs) => dtabs.get(namespace)),
      distinctUntilChanged(),
    );

  readonly create = (namespace: string, dtab: Dtab): Observable<Outcome> =>
    this.#change(namespace, (known) =>
      known === undefined ? this.#store(namespace, dtab) : 'exists',
    );

  readonly put = (namespace: string, dtab: Dtab): Observable<Outcome> =>
    this.#change(namespace, () => this.#store(namespace, dtab));

  readonly update = (namespace: string, dtab: Dtab, version: Uint8Array): Observable<Outcome> =>
    this.#change(namespace, (known) => {
      if (known === undefined) return 'missing';
      return isSameVersion(known.version, version) ? this.#store(namespace, dtab) : 'mismatch';
    });

  readonly delete = (namespace: string): Observable<Outcome> =>
    this.#change(namespace, (known) => {
      if (known === undefined) return 'missing';
      this.#removed = Math.max(this.#removed, countOf(known.version));
      const dtabs = new Map(this.#dtabs$.value);
      dtabs.delete(namespace);
      this.#dtabs$.next(dtabs);
      return 'done';
    });

  #change(
    namespace: string,
    change: (known: StoredDtab | undefined) => Outcome,
  ): Observable<Outcome> {
    return defer(() => of(change(this.#dtabs$.value.get(namespace))));
  }

  #store(namespace: string, dtab: Dtab): Outcome {
    const known = this.#dtabs$.value.get(namespace);
    if (known === undefined && this.#dtabs$.value.size >= MOST_NAMESPACES)
      return { t: 'failed', cause: `expected at most ${MOST_NAMESPACES} namespaces, got one more` };
    const count = known === undefined ? this.#removed : countOf(known.version);
    const stored = { dtab, version: versionOf(count + 1) };
    this.#dtabs$.next(new Map(this.#dtabs$.value).set(namespace, stored));
    return 'done';
  }
}
