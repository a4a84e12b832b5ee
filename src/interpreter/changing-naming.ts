/** A naming that gives way to another while it is in use. */
import { distinctUntilChanged, filter, type Observable, switchMap } from 'rxjs';
import { isSameTree } from './dtab-naming.ts';
import type { Naming } from './naming.ts';
import { isSameAddr } from './same.ts';

/** What is not known yet is no news once something was. */
const goOn = <T extends { readonly t: string }>(
  naming$: Observable<Naming>,
  ask: (naming: Naming) => Observable<T>,
  isSame: (one: T, other: T) => boolean,
): Observable<T> =>
  naming$.pipe(
    switchMap((naming, i) => ask(naming).pipe(filter(({ t }) => i === 0 || t !== 'pending'))),
    distinctUntilChanged(isSame),
  );

/**
 * Makes one naming of the latest of several. What was told holds until the next one says something else.
 *
 *   naming  a-----b-----     both know x; b finds it out after a while
 *   x       p1----p-1-2-
 *   told    p1--------2-
 *
 * `naming$` gives the one in force at once.
 */
export const changingNaming = (naming$: Observable<Naming>): Naming => ({
  bind: (dtab$, path) => goOn(naming$, (naming) => naming.bind(dtab$, path), isSameTree),
  addr: (id) => goOn(naming$, (naming) => naming.addr(id), isSameAddr),
  delegate: (dtab, path) => naming$.pipe(switchMap((naming) => naming.delegate(dtab, path))),
});
