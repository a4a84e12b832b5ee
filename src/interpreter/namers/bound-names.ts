/** The concrete names that namers can list: those of files. */
import { combineLatest, concat, exhaustMap, map, NEVER, type Observable, of, timer } from 'rxjs';
import type { NamerConfig } from '../../config/config.ts';
import { showSegment } from '../../dtab/segment.ts';
import type { Env } from '../../env.ts';
import type { Path } from '../../path.ts';
import { listFolder } from './fs/files.ts';

/** Folders are listed so often. */
const LIST_MS = 1_000;

/** Does not end: a watch of it is open for as long as its reader likes. */
const NOTHING: Observable<readonly Path[]> = concat(of([]), NEVER);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const listed = (config: NamerConfig, { scheduler }: Env): Observable<readonly Path[]> => {
  if (config.kind !== 'io.l5d.fs') return NOTHING;
  return timer(0, LIST_MS, scheduler).pipe(
    exhaustMap(() => listFolder(config.rootDir)),
    map((names) => names.map((name) => `/#${config.prefix}/${showSegment(bytesOf(name))}` as Path)),
  );
};

/** Follows the top level of what can be listed, folders included. Errors: none. Ends: never. */
export const boundNames = (
  configs: readonly NamerConfig[],
  env: Env,
): Observable<readonly Path[]> =>
  configs.length === 0
    ? NOTHING
    : combineLatest(configs.map((config) => listed(config, env))).pipe(map((all) => all.flat()));
