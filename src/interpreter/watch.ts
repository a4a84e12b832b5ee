/** The watch of one name: a stream of lines that is opened again whenever it ends. */
import { defer, mergeMap, type Observable, race, repeat, takeWhile, tap, timer } from 'rxjs';
import type { Env } from '../env.ts';
import type { Parse, Settled } from './answer.ts';
import { LineQueue } from './bytes.ts';
import { exchange, type Part } from './exchange.ts';
import { type Heard, isGood, MAX_ANSWER_BYTES, type Report } from './heard.ts';
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
  readonly #now: () => number;
  readonly #begun: number;
  /** What was reported last: good lines in a row are one report, and so are a bad line and the end after it. */
  #reported: 'nothing' | 'good' | 'bad' = 'nothing';
  #isGood = false;
  #isExpired = false;

  constructor({ parse, report }: WatchSetup<G>, now: () => number) {
    this.#parse = parse;
    this.#report = report;
    this.#now = now;
    this.#begun = now();
  }

  read(part: Part): readonly Heard<G>[] {
    switch (part.t) {
      case 'bytes':
        return [...this.#lines.push(part.bytes).map(this.#said), ...this.#overflow()];
      case 'ended':
        return [...this.#rest(), this.#lost('namerd: the watch ended')];
      case 'failed':
        return [this.#lost(part.cause)];
      case 'expired':
        this.#isExpired = true;
        return [];
    }
  }

  /** How long to wait before the next stream. */
  delay(pace: Pace): number {
    if (this.#isExpired) return 0;
    return this.#isGood ? pace.afterStream(this.#now() - this.#begun) : pace.afterFailure();
  }

  readonly #said = (line: string): Heard<G> => {
    const answer = this.#parse(line);
    const { resolution } = answer;
    if (resolution.t === 'failed') this.#failed(resolution.cause);
    if (isGood(answer)) this.#succeeded();
    return { t: 'said', answer };
  };

  #overflow(): readonly Heard<G>[] {
    if (this.#lines.size <= MAX_ANSWER_BYTES) return [];
    return [this.#lost(`namerd: expected a line of at most ${MAX_ANSWER_BYTES} bytes, got more`)];
  }

  #rest(): readonly Heard<G>[] {
    const line = this.#lines.rest();
    return line === '' ? [] : [this.#said(line)];
  }

  #lost(cause: string): Heard<G> {
    if (this.#reported !== 'bad') this.#failed(cause);
    return { t: 'lost', cause };
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
    return this.#isGood ? 0 : this.#now() - this.#begun;
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
      const stream = new Stream(setup, () => scheduler.now());
      const limitMs = MAX_AGE_MS * (1 - random() / 10);
      return exchange(open(), { limitMs }, scheduler).pipe(
        mergeMap((part) => stream.read(part)),
        takeWhile(({ t }) => t !== 'lost', true),
        tap({
          complete: () => {
            delayMs = stream.delay(pace);
          },
        }),
      );
    }).pipe(repeat({ delay: () => race(timer(delayMs, scheduler), hurry$) }));
  });
