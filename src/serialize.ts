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
      let isBusy = false;
      /** Delivers what was caused meanwhile; `isBusy` until nothing waits. */
      const drain = (): void => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
      };
      const deliver = (task: () => void): void => {
        waiting.push(task);
        if (isBusy) return;
        isBusy = true;
        try {
          drain();
        } finally {
          isBusy = false;
        }
      };
      return source$.subscribe({
        next: (value) => {
          if (isBusy) {
            waiting.push(() => out.next(value));
            return;
          }
          isBusy = true;
          try {
            out.next(value);
            if (waiting.length > 0) drain();
          } finally {
            isBusy = false;
          }
        },
        error: (error: unknown) => deliver(() => out.error(error)),
        complete: () => deliver(() => out.complete()),
      });
    });
