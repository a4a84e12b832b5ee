/** Polls of one name: a GET now and then, never two at one time. */
import {
  defer,
  mergeMap,
  type Observable,
  repeat,
  startWith,
  switchMap,
  takeWhile,
  tap,
} from 'rxjs';
import type { Env } from '../env.ts';
import { type Answer, failure, type Parse, type Settled } from './answer.ts';
import { ByteQueue } from './bytes.ts';
import { exchange, type Part } from './exchange.ts';
import { type Heard, isGood, MAX_ANSWER_BYTES, type Report } from './heard.ts';
import type { Received } from './transport.ts';
import { Pace, type Retry, wait } from './wait.ts';

/** Longest time for a poll; namerd itself holds the reply for as long as the name is pending. */
export const POLL_MS = 10_000;

const answered = <G extends Settled>(answer: Answer<G>): readonly Heard<G>[] => [
  { t: 'answered', answer },
];

const readBody = <G extends Settled>(
  body: ByteQueue,
  part: Part,
  parse: Parse<G>,
): readonly Heard<G>[] => {
  switch (part.t) {
    case 'bytes':
      body.push(part.bytes);
      if (body.size <= MAX_ANSWER_BYTES) return [];
      return answered(failure(`namerd: expected at most ${MAX_ANSWER_BYTES} bytes, got more`));
    case 'ended':
      return answered(parse(body.take()));
    case 'failed':
      return answered(failure(part.cause));
    case 'expired':
      return answered(failure(`namerd: no answer within ${POLL_MS} ms`));
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
      mergeMap((part) => readBody(body, part, parse)),
      takeWhile(({ t }) => t !== 'answered', true),
      tap((heard) => {
        if (heard.t !== 'answered') return;
        const { resolution } = heard.answer;
        const cause = resolution.t === 'failed' ? resolution.cause : undefined;
        report(scheduler.now() - begun, cause);
      }),
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
