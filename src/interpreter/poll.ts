/** Polls of one name: a GET now and then, never two at one time. */
import {
  defer,
  EMPTY,
  map,
  mergeMap,
  type Observable,
  of,
  repeat,
  startWith,
  switchMap,
  take,
  tap,
} from 'rxjs';
import type { Env } from '../env.ts';
import { type Answer, failure, type Parse, type Settled } from './answer.ts';
import { ByteQueue } from './bytes.ts';
import { exchange, type Part } from './exchange.ts';
import { type Heard, isGood, MAX_ANSWER_BYTES, type Report, understand } from './heard.ts';
import type { Received } from './transport.ts';
import { Pace, type Retry, wait } from './wait.ts';

/** Longest time for a poll; namerd itself holds the reply for as long as the name is pending. */
export const POLL_MS = 10_000;

const readBody = <G extends Settled>(
  body: ByteQueue,
  part: Part,
  understood: (text: string) => Observable<Answer<G>>,
): Observable<Answer<G>> => {
  switch (part.t) {
    case 'bytes':
      body.push(part.bytes);
      if (body.size <= MAX_ANSWER_BYTES) return EMPTY;
      return of(failure(`namerd: expected at most ${MAX_ANSWER_BYTES} bytes, got more`));
    case 'ended':
      return understood(body.take());
    case 'failed':
      return of(failure(part.cause));
    case 'expired':
      return of(failure(`namerd: no answer within ${POLL_MS} ms`));
  }
};

/** What is asked, and who is told. */
export interface AskSetup<G extends Settled> {
  readonly open: () => Observable<Received>;
  readonly parse: Parse<G>;
  readonly report: Report;
}

/** Asks once: `asked`, then `answered` within 10 s, then the end. Errors: none. */
export const ask = <G extends Settled>(
  { open, parse, report }: AskSetup<G>,
  { scheduler }: Env,
): Observable<Heard<G>> =>
  defer(() => {
    const begun = scheduler.now();
    const body = new ByteQueue();
    return exchange(open(), { limitMs: POLL_MS }, scheduler).pipe(
      mergeMap((part) => readBody(body, part, (text) => understand(text, parse, { scheduler }))),
      take(1),
      tap(({ resolution }) => {
        const cause = resolution.t === 'failed' ? resolution.cause : undefined;
        report(scheduler.now() - begun, cause);
      }),
      map((answer): Heard<G> => ({ t: 'answered', answer })),
      startWith<Heard<G>>({ t: 'asked' }),
    );
  });

/** What is polled, and when. */
export interface PollSetup<G extends Settled> {
  readonly ask$: Observable<Heard<G>>;
  /** From the subscription to the first poll. */
  readonly firstMs: number;
  /** From the end of one poll to the next, less up to a tenth. */
  readonly periodMs: number;
  /** Delays after polls that failed, where shorter than the period. */
  readonly retry: Retry;
  /** Called when a poll is good after one that was not. */
  readonly recovered?: (() => void) | undefined;
}

/** Polls again and again. Errors: none. Ends: never. */
export const poll = <G extends Settled>(
  setup: PollSetup<G>,
  { scheduler, random }: Env,
): Observable<Heard<G>> =>
  defer(() => {
    const { ask$, firstMs, periodMs, retry, recovered } = setup;
    const pace = new Pace(retry, random);
    let delayMs = firstMs;
    let isFailing = false;
    const plan = (heard: Heard<G>): void => {
      if (heard.t !== 'answered') return;
      const wasFailing = isFailing;
      isFailing = !isGood(heard.answer);
      delayMs = periodMs * (1 - random() / 10);
      if (isFailing) delayMs = Math.min(delayMs, pace.afterFailure());
      else pace.reset();
      if (wasFailing && !isFailing) recovered?.();
    };
    return defer(() => wait(delayMs, scheduler)).pipe(
      switchMap(() => ask$),
      tap(plan),
      repeat(),
    );
  });
