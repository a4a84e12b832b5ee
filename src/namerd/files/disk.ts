/** One folder of files, each of which is replaced whole. */
import { type BigIntStats, constants, type Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { defer, from, type Observable } from 'rxjs';
import { readReason } from '../../config/files.ts';
import { draftOf, isDraft, isDtabFile } from './names.ts';

/** Most bytes of one file. */
export const MOST_BYTES = 2 * 1024 * 1024;
/** Most files that are looked at. */
export const MOST_FILES = 1024;
/** Most entries of the folder, whatever they are. */
const MOST_ENTRIES = 10_000;

/** What changes when a file changes: which one it is, its size and its times. */
export type Signature = string;

/** A file as it was read. */
export interface Found {
  readonly content: string;
  readonly signature: Signature;
}

/** A file in the list. */
export interface Listed {
  readonly file: string;
  readonly signature: Signature;
}

/**
 * The folder. Cold Observables of one value; what is under way when they are unsubscribed goes on.
 * Errors: a `left` in words; the Observables have none.
 */
export interface Disk {
  /** Makes the folder if need be, and removes what broken writes left. Before all else, and never beside a write. */
  readonly prepare: () => Observable<Either<string, void>>;
  /** Regular files that end with `.dtab`, in order of their names. Bounds: `MOST_FILES`, more are an error. */
  readonly list: () => Observable<Either<string, readonly Listed[]>>;
  /** `undefined`: there is no such file. Bounds: `MOST_BYTES`, more are an error. */
  readonly read: (file: string) => Observable<Either<string, Found | undefined>>;
  /** Replaces a file, or makes it. When it says so, it is on the disk; until then the old one is, or the new one. */
  readonly write: (file: string, content: string) => Observable<Either<string, Signature>>;
  /** Removes a file; one that is not there is fine. */
  readonly remove: (file: string) => Observable<Either<string, void>>;
}

const signatureOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): Signature =>
  `${ino} ${size} ${mtimeNs} ${ctimeNs}`;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Uses a file and closes it. */
const using = async <T>(
  handle: FileHandle,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> => {
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
};

/** All of a file, though no more than so many bytes and one. */
const readAll = async (handle: FileHandle): Promise<Uint8Array> => {
  const { size } = await handle.stat();
  const bytes = new Uint8Array(Math.min(size, MOST_BYTES) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
    length += bytesRead;
    if (bytesRead === 0 || length === bytes.length) return bytes.subarray(0, length);
  }
};

class Folder implements Disk {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  readonly prepare = (): Observable<Either<string, void>> =>
    this.#attempt('prepare', '', async () => {
      await mkdir(this.#path, { recursive: true });
      for (const entry of await this.#entries())
        if (isDraft(entry.name) && entry.isFile()) await this.#discard(entry.name);
    });

  readonly list = (): Observable<Either<string, readonly Listed[]>> =>
    this.#attempt('list', '', async () => {
      const names = (await this.#entries()).map(({ name }) => name);
      const files = names.filter(isDtabFile).sort();
      if (files.length > MOST_FILES)
        throw new Error(`expected at most ${MOST_FILES} files, got ${files.length}; remove some`);
      const listed = await Promise.all(files.map((file) => this.#listed(file)));
      return listed.flat();
    });

  readonly read = (file: string): Observable<Either<string, Found | undefined>> =>
    this.#attempt('read', file, async () => {
      try {
        // Whoever puts a pipe in the folder must not make us wait for its writer.
        const flags = constants.O_RDONLY | constants.O_NONBLOCK;
        return await using(await open(join(this.#path, file), flags), this.#found);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });

  readonly write = (file: string, content: string): Observable<Either<string, Signature>> =>
    this.#attempt('write', file, async () => {
      const draft = draftOf(file);
      try {
        return await using(await open(join(this.#path, draft), 'w'), async (handle) => {
          await handle.writeFile(content);
          await handle.sync();
          await rename(join(this.#path, draft), join(this.#path, file));
          await this.#sync();
          return signatureOf(await handle.stat({ bigint: true }));
        });
      } catch (error) {
        await this.#discard(draft);
        throw error;
      }
    });

  readonly remove = (file: string): Observable<Either<string, void>> =>
    this.#attempt('remove', file, async () => {
      await rm(join(this.#path, file), { force: true });
      await this.#sync();
    });

  #attempt<T>(verb: string, file: string, act: () => Promise<T>): Observable<Either<string, T>> {
    return defer(() =>
      from(
        act().then(
          (value) => right<string, T>(value),
          (error: unknown) => {
            const reason = readReason(error) || (error instanceof Error ? error.message : '');
            return left<string, T>(`cannot ${verb} ${join(this.#path, file)}: ${reason}`);
          },
        ),
      ),
    );
  }

  /** A draft that stays is in nobody’s way: the next write of its name begins it anew, or tells why it cannot. */
  async #discard(draft: string): Promise<void> {
    await rm(join(this.#path, draft), { force: true }).catch(() => undefined);
  }

  async #entries(): Promise<readonly Dirent[]> {
    const entries: Dirent[] = [];
    for await (const entry of await opendir(this.#path)) {
      if (entries.length >= MOST_ENTRIES)
        throw new Error(`expected at most ${MOST_ENTRIES} entries, got more; clear the folder`);
      entries.push(entry);
    }
    return entries;
  }

  /** Nothing, if it is gone meanwhile or is no regular file. */
  async #listed(file: string): Promise<readonly Listed[]> {
    const path = join(this.#path, file);
    try {
      const stats = await stat(path, { bigint: true });
      return stats.isFile() ? [{ file, signature: signatureOf(stats) }] : [];
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** The signature is from before, so that a change while it is read is seen later. */
  readonly #found = async (handle: FileHandle): Promise<Found> => {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new Error('expected a regular file, got another');
    const bytes = await readAll(handle);
    if (bytes.length > MOST_BYTES)
      throw new Error(`expected at most ${MOST_BYTES} bytes, got more; make it smaller`);
    return { content: new TextDecoder().decode(bytes), signature: signatureOf(stats) };
  };

  /** Makes names last: a rename is on the disk when its folder is. */
  async #sync(): Promise<void> {
    await using(await open(this.#path, constants.O_RDONLY), (folder) => folder.sync());
  }
}

/** The folder at a path. One process at a time writes to it. */
export const diskAt = (path: string): Disk => new Folder(path);
