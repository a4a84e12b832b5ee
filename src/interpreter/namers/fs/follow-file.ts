/** One place of the file system, looked at again and again. */
import {
  concatMap,
  defer,
  distinctUntilChanged,
  exhaustMap,
  filter,
  map,
  type Observable,
  of,
  race,
  repeat,
  take,
  timer,
} from 'rxjs';
import type { Env } from '../../../env.ts';
import type { Slots } from '../../slots.ts';
import type { Content, FilesPort, Place } from './files.ts';

/** Between two looks. */
export const LOOK_MS = 250;

/** What is missing is looked for again when its folder changes, and so often anyway: it may be behind a link. */
export const MISSING_MS = 5_000;

/** A file that is written without a pause is taken as it is after so many looks. */
export const MOST_UNSETTLED = 8;

/** What is known of a place. */
export type Known =
  | { readonly t: 'missing' }
  | { readonly t: 'folder' }
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'failed'; readonly cause: string };

/** What a look has found, and what was read if it may have changed. */
interface Look {
  readonly place: Place;
  readonly content?: Content | undefined;
}

/** The state of the fold. */
interface Following {
  readonly known?: Known;
  /** The version that was taken last. */
  readonly taken?: string;
  readonly id?: string;
  /** The version of the last look, if it was not taken. */
  readonly seen?: string | undefined;
  readonly unsettled: number;
}

/** Nobody stops writing within a line, or before the first. */
const seemsWhole = (text: string): boolean => text.endsWith('\n');

/**
 * A file that came whole is taken at once, as after a rename or the swap of a link. What is being written in place is
 * taken when it was the same in two looks.
 */
const adopt = (state: Following, { place, content }: Look): Following => {
  if (place.t !== 'file') return { known: place, unsettled: 0 };
  if (content === undefined) return { ...state, seen: undefined, unsettled: 0 };
  if (content.t === 'failed') return { known: content, unsettled: 0 };
  const { text, version } = content;
  const isNew = state.id !== place.id;
  const isSettled = version !== '' && (state.seen === version || (isNew && seemsWhole(text)));
  if (!isSettled && state.unsettled < MOST_UNSETTLED)
    return { ...state, seen: version, unsettled: state.unsettled + 1 };
  return { known: { t: 'text', text }, taken: version, id: place.id, unsettled: 0 };
};

const isSameKnown = (one: Known, other: Known): boolean => {
  if (one.t === 'text') return other.t === 'text' && one.text === other.text;
  if (one.t === 'failed') return other.t === 'failed' && one.cause === other.cause;
  return one.t === other.t;
};

/** What is asked, and how many at one time. */
export interface Looking {
  readonly files: FilesPort;
  readonly slots: Slots;
}

/** Follows the version of a folder: another one when something in it came or went. Errors: none. Ends: never. */
export const followFolder = (
  path: string,
  { files, slots }: Looking,
  { scheduler }: Env,
): Observable<string> =>
  timer(0, LOOK_MS, scheduler).pipe(
    exhaustMap(() => slots.hold(files.look(path))),
    map((place) => (place.t === 'folder' ? place.version : place.t)),
    distinctUntilChanged(),
  );

/**
 * Follows what stands at a place. The file system is asked each time, since no watch of it tells of every way in
 * which files are replaced; for what is missing its folder alone is, however many are missing in it.
 *
 *   looks   a-----b-----b-----     b being written in place
 *   known   a-----------b-----
 *
 * `folder$` follows the folder of the place, its last version first.
 * Bounds: as many looks at one time as there are slots. Errors: none. Ends: never.
 */
export const followFile = (
  path: string,
  { files, slots, folder$ }: Looking & { readonly folder$: Observable<string> },
  { scheduler }: Env,
): Observable<Known> =>
  defer(() => {
    let state: Following = { unsettled: 0 };
    /** That of the folder before the last look. */
    let before = '';
    const look$ = slots.hold(
      files.look(path).pipe(
        concatMap((place): Observable<Look> => {
          if (place.t !== 'file' || place.version === state.taken) return of({ place });
          return files.read(path).pipe(map((content) => ({ place, content })));
        }),
      ),
    );
    const next$ = (): Observable<unknown> =>
      state.known?.t === 'missing'
        ? race(folder$.pipe(filter((version) => version !== before)), timer(MISSING_MS, scheduler))
        : timer(LOOK_MS, scheduler);
    return folder$.pipe(
      take(1),
      concatMap((version) => {
        before = version;
        return look$;
      }),
      map((look) => {
        state = adopt(state, look);
        return state.known;
      }),
      repeat({ delay: next$ }),
      concatMap((known) => (known === undefined ? [] : [known])),
      distinctUntilChanged(isSameKnown),
    );
  });
