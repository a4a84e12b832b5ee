/** Keeps workers running: one that ends is begun again, ever more slowly while it ends at once. */
import { defer, merge, type Observable, repeat, takeUntil, timer } from 'rxjs';
import type { Env } from '../env.ts';

/** What is kept running. */
export interface Supervision {
  readonly workers: number;
  /** Runs one worker, from its begin to its exit. Unsubscribing kills it. Errors: never. */
  readonly run: (slot: number) => Observable<never>;
  /** Emits, also to who comes later, when no worker is to be begun any more. */
  readonly stop$: Observable<unknown>;
  /** Told when a worker has ended and will be begun again. */
  readonly ended: (slot: number, delayMs: number) => void;
}

/** First and longest wait before a worker is begun again, in ms. */
const BACKOFF_MS = [100, 30_000] as const;

/** A worker that ran so long has done nothing wrong at its begin. */
export const STEADY_MS = 60_000;

const keep = (
  slot: number,
  { run, stop$, ended }: Supervision,
  { scheduler, random }: Env,
): Observable<never> =>
  defer(() => {
    const [first, most] = BACKOFF_MS;
    let failures = 0;
    let begunAt = 0;
    return defer(() => {
      begunAt = scheduler.now();
      return run(slot);
    }).pipe(
      repeat({
        delay: () => {
          failures = scheduler.now() - begunAt >= STEADY_MS ? 0 : failures;
          const delayMs = Math.round(Math.min(most, first * 2 ** failures) * (0.5 + random()));
          failures = Math.min(failures + 1, 30);
          return defer(() => {
            ended(slot, delayMs);
            return timer(delayMs, scheduler);
          }).pipe(takeUntil(stop$));
        },
      }),
    );
  });

/**
 * Runs so many workers until they are stopped.
 *
 *   slot 0   ===x..=====|       x ends, and is begun again after a wait that grows with each early end
 *   slot 1   ==========s|       after the stop s nobody is begun any more
 *
 * Emits nothing. Errors: never. Ends: after the stop, with the last worker.
 */
export const supervise = (supervision: Supervision, env: Env): Observable<never> =>
  merge(...Array.from({ length: supervision.workers }, (_, slot) => keep(slot, supervision, env)));
