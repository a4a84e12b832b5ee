/** Questions that are asked again when their answers have grown old. */
import { defer, type Observable, repeat, tap } from 'rxjs';
import type { Env } from '../../env.ts';
import { Pace, wait } from '../wait.ts';
import type { DnsAnswer } from './port.ts';

/** Answers are kept no shorter and no longer, whatever they say of themselves. */
const SHORTEST_SECS = 1;
const LONGEST_SECS = 300;

/** Delays after failures; they double, with jitter. */
const RETRY = { baseSeconds: 1, maxSeconds: 30 };

/** How long an answer is kept, in ms. */
const keptMs = (ttlSecs: number): number =>
  Math.min(Math.max(ttlSecs, SHORTEST_SECS), LONGEST_SECS) * 1000;

/**
 * Asks again and again: when an answer has lived as long as it may, or when `everySecs` have passed; sooner, and then less
 * and less often, after failures. Errors: none. Ends: never.
 */
export const again = (
  answer$: Observable<DnsAnswer>,
  { scheduler, random }: Env,
  everySecs?: number,
): Observable<DnsAnswer> =>
  defer(() => {
    const pace = new Pace(RETRY, random);
    let delayMs = 0;
    return answer$.pipe(
      tap((answer) => {
        if (answer.t === 'failed') delayMs = pace.afterFailure();
        else {
          pace.reset();
          delayMs = keptMs(everySecs ?? answer.ttlSecs);
        }
      }),
      repeat({ delay: () => wait(delayMs, scheduler) }),
    );
  });
