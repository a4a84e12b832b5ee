/** Dtabs in files: a folder with one file for each namespace, which people may edit too. */
import { mapLeft } from 'fp-ts/lib/Either.js';
import { distinctUntilChanged, map, type Observable } from 'rxjs';
import type { Dtab } from '../dtab/dtab.ts';
import { parseDtab } from '../dtab/parse.ts';
import { showPrefix, showTree } from '../dtab/print.ts';
import type { Env } from '../env.ts';
import { diskAt } from './files/disk.ts';
import { FileSet } from './files/file-set.ts';
import type { Kept } from './files/shelf.ts';
import type { DtabStore, Outcome, StoredDtab } from './store.ts';

/** One rule a line, as people edit it. */
const showLines = (dtab: Dtab): string =>
  dtab.map((dentry) => `${showPrefix(dentry)} => ${showTree(dentry.dst)};`).join('\n');

const parse = (text: string) =>
  mapLeft(
    ({ message, line, column }: { message: string; line: number; column: number }) =>
      `line ${line}, column ${column}, below the version: ${message}`,
  )(parseDtab(text));

const stored = (kept: Kept<Dtab> | undefined): StoredDtab | undefined =>
  kept && { dtab: kept.value, version: kept.version };

const isSameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((name) => b.has(name));

/**
 * Dtabs of one folder, which is made if it is missing, and which no other process writes through us. Each file has the
 * old dtab or the new one, whole, whatever happens; one that is told to be stored is on the disk.
 * Versions outlast restarts. What others write into the folder is seen within a second, with a version of its own.
 * Outcomes tell failures in words. Observables of dtabs: no errors, no end.
 */
export class FileStore implements DtabStore {
  readonly #files: FileSet<Dtab>;
  /** The namespaces, once the folder was read. */
  readonly list$: Observable<ReadonlySet<string>>;

  constructor(rootDir: string, env: Env) {
    this.#files = new FileSet(diskAt(rootDir), parse, env);
    this.list$ = this.#files.values$.pipe(
      map((values) => new Set(values.keys())),
      distinctUntilChanged(isSameSet),
    );
  }

  /** Follows the dtab of a namespace; `undefined`: there is none. */
  watch(namespace: string): Observable<StoredDtab | undefined> {
    return this.#files.values$.pipe(
      map((values) => values.get(namespace)),
      distinctUntilChanged(),
      map(stored),
    );
  }

  /** Stores the dtab of a new namespace. */
  create(namespace: string, dtab: Dtab): Observable<Outcome> {
    return this.#files.write(namespace, showLines(dtab), 'absent');
  }

  /** Stores a dtab, whatever there was. */
  put(namespace: string, dtab: Dtab): Observable<Outcome> {
    return this.#files.write(namespace, showLines(dtab), 'always');
  }

  /** Stores a dtab in place of the one of this version. */
  update(namespace: string, dtab: Dtab, version: Uint8Array): Observable<Outcome> {
    return this.#files.write(namespace, showLines(dtab), version);
  }

  /** Removes a namespace. */
  delete(namespace: string): Observable<Outcome> {
    return this.#files.remove(namespace);
  }
}
