/** One place of the file system, looked at again and again. */
import {
  concatMap,
  defer,
  distinctUntilChanged,
  exhaustMap,
  map,
  type Observable,
  of,
  scan,
  timer,
} from 'rxjs';
import type { Env } from '../../../env.ts';
import type { Slots } from '../../slots.ts';
import type { Content, FilesPort, Place } from './files.ts';

/** Between two looks. */
export const LOOK_MS = 250;

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
const take = (state: Following, { place, content }: Look): Following => {
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

/**
 * Follows what stands at a place. The file system is asked each time, since no watch of it tells of every way in
 * which files are replaced.
 *
 *   looks   a-----b-----b-----     b being written in place
 *   known   a-----------b-----
 *
 * Bounds: as many looks at one time as there are slots. Errors: none. Ends: never.
 */
export const followFile = (
  path: string,
  { files, slots }: { readonly files: FilesPort; readonly slots: Slots },
  { scheduler }: Env,
): Observable<Known> =>
  defer(() => {
    let state: Following = { unsettled: 0 };
    const once$ = slots.hold(
      files.look(path).pipe(
        concatMap((place): Observable<Look> => {
          if (place.t !== 'file' || place.version === state.taken) return of({ place });
          return files.read(path).pipe(map((content) => ({ place, content })));
        }),
      ),
    );
    return timer(0, LOOK_MS, scheduler).pipe(
      exhaustMap(() => once$),
      scan((former, look) => {
        state = take(former, look);
        return state;
      }, state),
      concatMap(({ known }) => (known === undefined ? [] : [known])),
      distinctUntilChanged(isSameKnown),
    );
  });
