/** The gate that all watches of a process pass: they must leave descriptors for connections. */
import { defer, finalize, type Observable } from 'rxjs';
import { Slots } from './slots.ts';

/** Runs a watch as soon as the process can spare a descriptor for it. */
export type WatchGate = <T>(watch$: Observable<T>) => Observable<T>;

/** The share of all descriptors that watches may hold. */
const SHARE = 1 / 4;

/** The account of a process’s descriptors, as far as watches are concerned. */
interface Account {
  readonly limit: number;
  readonly take: () => void;
  readonly give: () => void;
}

/**
 * Makes the gate of a process. Bounds: a quarter of the descriptors, each counted while it is held; a watch beyond
 * that waits its turn. Order: first come, first served.
 */
export const makeWatchGate = ({ limit, take, give }: Account): WatchGate => {
  const slots = new Slots(Math.max(1, Math.floor(limit * SHARE)));
  return (watch$) =>
    slots.hold(
      defer(() => {
        take();
        return watch$.pipe(finalize(give));
      }),
    );
};
