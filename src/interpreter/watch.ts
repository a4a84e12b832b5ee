/** The watch of one name: a stream of lines that is opened again whenever it ends. */
import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  map,
  type Observable,
  of,
  race,
  repeat,
  type SchedulerLike,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import type { Env } from '../env.ts';
import type { Answer, Parse, Settled } from './answer.ts';
import { LineQueue } from './bytes.ts';
import { exchange, type Part } from './exchange.ts';
import { type Heard, isGood, MAX_ANSWER_BYTES, type Report, understand } from './heard.ts';
import type { Received } from './transport.ts';
import { Pace, type Retry } from './wait.ts';

/** A stream is opened anew when it has grown this old, less up to a tenth. */
export const MAX_AGE_MS = 600_000;

/** What is watched, and who is told. */
export interface WatchSetup<G extends Settled> {
  readonly open: () => Observable<Received>;
  readonly parse: Parse<G>;
  readonly retry: Retry;
  readonly report: Report;
  /** Ends the wait for the next stream: namerd is known to be back. */
  readonly hurry$: Observable<unknown>;
}

/** One stream, from its request to its end. */
class Stream<G extends Settled> {
  readonly #parse: Parse<G>;
  readonly #lines = new LineQueue();
  readonly #report: Report;
  readonly #scheduler: SchedulerLike;
  readonly #begun: number;
  /** What was reported last: good lines in a row are one report, and so are a bad line and the end after it. */
  #reported: 'nothing' | 'good' | 'bad' = 'nothing';
  #isGood = false;
  #isExpired = false;

  constructor({ parse, report }: WatchSetup<G>, scheduler: SchedulerLike) {
    this.#parse = parse;
    this.#report = report;
    this.#scheduler = scheduler;
    this.#begun = scheduler.now();
  }

  /** What a part tells; the next part must wait for the end of it. */
  read(part: Part): Observable<Heard<G>> {
    switch (part.t) {
      case 'bytes':
        return concat(this.#hear(this.#lines.push(part.bytes)), this.#overflow());
      case 'ended':
        return concat(this.#hear([this.#lines.rest()]), this.#lost('namerd: the watch ended'));
      case 'failed':
        return this.#lost(part.cause);
      case 'expired':
        this.#isExpired = true;
        return EMPTY;
    }
  }

  /** How long to wait before the next stream. */
  delay(pace: Pace): number {
    if (this.#isExpired) return 0;
    return this.#isGood
      ? pace.afterStream(this.#scheduler.now() - this.#begun)
      : pace.afterFailure();
  }

  #hear(lines: readonly string[]): Observable<Heard<G>> {
    return from(lines.filter((line) => line !== '')).pipe(
      concatMap((line) => understand(line, this.#parse, { scheduler: this.#scheduler })),
      map(this.#said),
    );
  }

  readonly #said = (answer: Answer<G>): Heard<G> => {
    const { resolution } = answer;
    if (resolution.t === 'failed') this.#failed(resolution.cause);
    if (isGood(answer)) this.#succeeded();
    return { t: 'said', answer };
  };

  #overflow(): Observable<Heard<G>> {
    if (this.#lines.size <= MAX_ANSWER_BYTES) return EMPTY;
    return this.#lost(`namerd: expected a line of at most ${MAX_ANSWER_BYTES} bytes, got more`);
  }

  #lost(cause: string): Observable<Heard<G>> {
    return defer(() => {
      if (this.#reported !== 'bad') this.#failed(cause);
      return of<Heard<G>>({ t: 'lost', cause });
    });
  }

  #succeeded(): void {
    if (this.#reported !== 'good') this.#report(this.#age());
    this.#reported = 'good';
    this.#isGood = true;
  }

  #failed(cause: string): void {
    this.#report(this.#age(), cause);
    this.#reported = 'bad';
  }

  /** The answer to a request came with its first line; what comes later took no time. */
  #age(): number {
    return this.#isGood ? 0 : this.#scheduler.now() - this.#begun;
  }
}

/**
 * Watches a name for as long as it is subscribed.
 *
 *   stream 1  h-a--b#           h head, a b good lines
 *   stream 2           h-a--    reopened within 1 s, since stream 1 was good
 *   watch     --a--bx----a--    x lost
 *
 * Errors: none; an end of the stream is `lost`, then it is opened again, quickly after a good stream and with
 * growing delays after others. Ends: never; unsubscribing aborts the request and its timers.
 */
export const watch = <G extends Settled>(
  setup: WatchSetup<G>,
  { scheduler, random }: Env,
): Observable<Heard<G>> =>
  defer(() => {
    const { open, retry, hurry$ } = setup;
    const pace = new Pace(retry, random);
    let delayMs = 0;
    return defer(() => {
      const stream = new Stream(setup, scheduler);
      const limitMs = MAX_AGE_MS * (1 - random() / 10);
      return exchange(open(), { limitMs }, scheduler).pipe(
        concatMap((part) => stream.read(part)),
        takeWhile(({ t }) => t !== 'lost', true),
        tap({
          complete: () => {
            delayMs = stream.delay(pace);
          },
        }),
      );
    }).pipe(repeat({ delay: () => race(timer(delayMs, scheduler), hurry$) }));
  });
