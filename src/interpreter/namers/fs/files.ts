/** The port to the file system, and the real one. Its Observables give one value and end; errors: none. */
import { open, readdir, stat } from 'node:fs/promises';
import { defer, from, type Observable } from 'rxjs';

/** What stands at a place. */
export type Place =
  | { readonly t: 'missing' }
  /** `version` is another one when something came or went. */
  | { readonly t: 'folder'; readonly version: string }
  /** `id` tells a file from another at its place, `version` what is in it from what was. */
  | { readonly t: 'file'; readonly id: string; readonly version: string }
  | { readonly t: 'failed'; readonly cause: string };

/** What is in a file; its version is another one, or empty, if it was written meanwhile. */
export type Content =
  | { readonly t: 'text'; readonly text: string; readonly version: string }
  | { readonly t: 'failed'; readonly cause: string };

/** The names of what is in a folder, sorted; of one that cannot be read none. */
export const listFolder = (path: string): Observable<readonly string[]> =>
  defer(() =>
    from(
      readdir(path).then(
        (names) => names.sort().slice(0, MOST_LISTED),
        () => [],
      ),
    ),
  );

/** The file system, as far as this namer needs it. */
export interface FilesPort {
  readonly look: (path: string) => Observable<Place>;
  readonly read: (path: string) => Observable<Content>;
}

/** Longest file, in bytes. Source: linkerd 1.x. */
const MOST_BYTES = 512_000;

/** Most names of a folder that are listed. */
const MOST_LISTED = 10_000;

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

const idOf = ({ dev, ino }: Stats): string => `${dev} ${ino}`;
const versionOf = (stats: Stats): string =>
  `${idOf(stats)} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

const look = async (path: string): Promise<Place> => {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return { t: 'folder', version: versionOf(stats) };
    if (stats.isFile()) return { t: 'file', id: idOf(stats), version: versionOf(stats) };
    return { t: 'failed', cause: `${path}: expected a file, got a device, pipe or socket` };
  } catch (error) {
    const code = codeOf(error);
    return MISSING.has(code) ? { t: 'missing' } : { t: 'failed', cause: `${path}: ${code}` };
  }
};

const read = async (path: string): Promise<Content> => {
  try {
    const file = await open(path, 'r');
    try {
      const before = await file.stat({ bigint: true });
      if (before.size > MOST_BYTES) {
        const cause = `${path}: expected at most ${MOST_BYTES} bytes, got ${before.size}`;
        return { t: 'failed', cause };
      }
      const text = await file.readFile('utf8');
      const version = versionOf(before);
      const isWhole = versionOf(await file.stat({ bigint: true })) === version;
      return { t: 'text', text, version: isWhole ? version : '' };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { t: 'failed', cause: `${path}: ${codeOf(error)}` };
  }
};

/** Files of this machine. */
export const DISK: FilesPort = {
  look: (path) => defer(() => from(look(path))),
  read: (path) => defer(() => from(read(path))),
};
