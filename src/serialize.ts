/** The trampoline: an event that is caused by an event waits until that one is done with. */
import { type MonoTypeOperatorFunction, Observable } from 'rxjs';

/**
 * Delivers values one at a time: a value that arrives while another is being delivered waits its turn,
 * where a plain Subject would deliver it in the middle.
 *
 *   in   -a----      a makes the subscriber emit b into the source, synchronously
 *   out  -(ab)-      a is delivered to its end, then b
 *
 * Order: as received. Bounds: what one value causes synchronously. Errors and completion pass on after
 * what waits.
 */
export const serialize =
  <T>(): MonoTypeOperatorFunction<T> =>
  (source$) =>
    new Observable<T>((out) => {
      const waiting: (() => void)[] = [];
      let busy = false;
      const deliver = (task: () => void): void => {
        waiting.push(task);
        if (busy) return;
        busy = true;
        try {
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
        } finally {
          busy = false;
        }
      };
      return source$.subscribe({
        next: (value) => deliver(() => out.next(value)),
        error: (error: unknown) => deliver(() => out.error(error)),
        complete: () => deliver(() => out.complete()),
      });
    });
