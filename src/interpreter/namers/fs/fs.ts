/** The namer `io.l5d.fs`: a file of addresses for each name. */
import { dirname, join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { distinctUntilChanged, map, type Observable, of, switchMap } from 'rxjs';
import type { NamerConfig } from '../../../config/config.ts';
import { leaf, NEG } from '../../../dtab/name-tree.ts';
import { segmentBytes, showSegment } from '../../../dtab/segment.ts';
import type { Env } from '../../../env.ts';
import { type Path, segments } from '../../../path.ts';
import { sharedBy } from '../../shared.ts';
import { Slots } from '../../slots.ts';
import { addrOfHosts, type Resolve } from '../hosts.ts';
import type { Addr, Binding, Namer } from '../namer.ts';
import { DISK, type FilesPort } from './files.ts';
import { followFile, followFolder, type Known } from './follow-file.ts';
import { parseHosts } from './parse.ts';

/** Most looks at one time: the platform has few threads for files, and others need them too. */
const MOST_LOOKS = 4;

/** What the namer asks. */
export interface FsSetup {
  readonly config: Extract<NamerConfig, { kind: 'io.l5d.fs' }>;
  /** `/#/io.l5d.fs`. */
  readonly prefix: Path;
  /** Looks up the hosts that files name. */
  readonly resolve: Resolve;
  readonly files?: FilesPort;
}

const NAME_LESS = /[\0/]/;

/** A segment as the name of a file; `undefined`: no file in the folder has it. */
const fileNameOf = (segment: string): string | undefined => {
  const bytes = segmentBytes(segment);
  const name = Buffer.from(bytes).toString('utf8');
  const isName = name !== '.' && name !== '..' && !NAME_LESS.test(name);
  // What is no UTF-8 would be another file’s name.
  return isName && showSegment(Buffer.from(name)) === showSegment(bytes) ? name : undefined;
};

const nothing: Observable<Binding> = of({ t: 'ok', tree: NEG });

class Fs {
  readonly #setup: FsSetup;
  readonly #followed: (path: string) => Observable<Known>;

  constructor(setup: FsSetup, env: Env) {
    this.#setup = setup;
    const { files = DISK } = setup;
    const slots = new Slots(MOST_LOOKS);
    const folder = sharedBy(String, (path) => followFolder(path, { files, slots }, env), env);
    const follow = (path: string): Observable<Known> =>
      followFile(path, { files, slots, folder$: folder(dirname(path)) }, env);
    this.#followed = sharedBy(String, follow, env);
  }

  readonly namer: Namer = (path) => {
    const found = segments(path);
    const names = found.map(fileNameOf);
    // Behind what no file can be called there may only be a residual.
    const illegal = names.indexOf(undefined);
    const usable = names.slice(0, illegal < 0 ? names.length : illegal);
    return this.#from({ found, names: usable }, this.#setup.config.rootDir, 0);
  };

  /** Looks for a file, folder by folder; the segments behind it are the residual. */
  #from(
    name: { readonly found: readonly string[]; readonly names: readonly (string | undefined)[] },
    folder: string,
    depth: number,
  ): Observable<Binding> {
    const next = name.names[depth];
    if (next === undefined) return nothing;
    const place = join(folder, next);
    return this.#followed(place).pipe(
      // Whatever is in a file, or why it cannot be read, is for those who ask for its addresses.
      map(({ t }) => (t === 'failed' ? 'text' : t)),
      distinctUntilChanged(),
      switchMap((t): Observable<Binding> => {
        if (t === 'missing') return nothing;
        if (t === 'folder') return this.#from(name, place, depth + 1);
        return of(this.#leaf(name.found, depth + 1, place));
      }),
    );
  }

  #leaf(found: readonly string[], used: number, place: string): Binding {
    const { prefix } = this.#setup;
    const id = `${prefix}/${found.slice(0, used).join('/')}` as Path;
    const residual = `/${found.slice(used).join('/')}` as Path;
    return { t: 'ok', tree: leaf({ id, residual, addr$: this.#addr(place) }) };
  }

  #addr(place: string): Observable<Addr> {
    return this.#followed(place).pipe(
      switchMap((known): Observable<Addr> => {
        if (known.t === 'failed') return of(known);
        if (known.t !== 'text') return of({ t: 'neg' });
        const hosts = parseHosts(known.text);
        if (isLeft(hosts)) return of({ t: 'failed', cause: `${place}: ${hosts.left}` });
        return addrOfHosts(hosts.right, this.#setup.resolve);
      }),
    );
  }
}

/**
 * Makes the namer. `/web/more` is the file `web` below the root folder, with `/more` left over; folders are segments.
 * A name without a file is `neg`, a file without addresses is bound to nobody. Changes are seen within a second.
 */
export const makeFs = (setup: FsSetup, env: Env): Namer => new Fs(setup, env).namer;
