/** One HTTP exchange with its limits: either all the bytes of a 200, or one failure in words. */
import {
  catchError,
  concat,
  defer,
  endWith,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  type SchedulerLike,
  takeWhile,
  timeout,
  timer,
} from 'rxjs';
import { ByteQueue } from './bytes.ts';
import { EXCERPT_BYTES, excerpt } from './excerpt.ts';
import type { Received } from './transport.ts';
import { wait } from './wait.ts';

/** Longest time from the request to the head of its reply, connecting included. */
export const HEAD_MS = 10_000;

/** Longest time that is given to the body of a refusal, of which only the start is wanted. */
const REFUSAL_MS = 1_000;

/** What an exchange gives: bytes, then exactly one of the others, which is the last. */
export type Part =
  | { readonly t: 'bytes'; readonly bytes: Uint8Array }
  | { readonly t: 'ended' }
  | { readonly t: 'failed'; readonly cause: string; readonly status?: number }
  /** The limit of the whole exchange passed. */
  | { readonly t: 'expired' };

type Heard = Received | { readonly t: 'end' };

const END: Heard = { t: 'end' };

/** What an exchange is held to. */
export interface ExchangeOptions {
  /** For the whole; may be years. */
  readonly limitMs: number;
  /** For the head; absent: 10 s. */
  readonly headMs?: number;
  /** Who is asked, for messages; absent: namerd. */
  readonly what?: string;
  /** Told the headers of a good reply. */
  readonly head?: (headers: Headers) => void;
}

type Headers = NonNullable<Extract<Received, { t: 'head' }>['headers']>;

class Reply {
  readonly #what: string;
  readonly #head: ExchangeOptions['head'];
  #status: number | undefined;
  readonly #refusal = new ByteQueue();

  constructor(what: string, head: ExchangeOptions['head']) {
    this.#what = what;
    this.#head = head;
  }

  read(heard: Heard): readonly Part[] {
    switch (heard.t) {
      case 'head':
        this.#status = heard.status;
        if (heard.status === 200) this.#head?.(heard.headers ?? {});
        return [];
      case 'chunk':
        return this.#chunk(heard.bytes);
      case 'broken':
        return [this.#refused() ?? { t: 'failed', cause: heard.cause }];
      case 'end':
        return [this.#refused() ?? this.#ended()];
    }
  }

  #chunk(bytes: Uint8Array): readonly Part[] {
    if (this.#status === 200) return [{ t: 'bytes', bytes }];
    this.#refusal.push(bytes.subarray(0, EXCERPT_BYTES));
    const refused = this.#refusal.size < EXCERPT_BYTES ? undefined : this.#refused();
    return refused === undefined ? [] : [refused];
  }

  #ended(): Part {
    return this.#status === 200
      ? { t: 'ended' }
      : { t: 'failed', cause: `${this.#what}: no reply` };
  }

  #refused(): Part | undefined {
    if (this.#status === undefined || this.#status === 200) return undefined;
    const body = excerpt(this.#refusal.take());
    const cause = `${this.#what}: status ${this.#status}${body && `: ${body}`}`;
    return { t: 'failed', cause, status: this.#status };
  }
}

const isRefusal = (heard: Heard): boolean => heard.t === 'head' && heard.status !== 200;

/**
 * Turns what a transport tells into the bytes of a good reply, or one failure.
 * Bounds: 10 s for the head; `limitMs` (may be years) for the whole. Errors: none. Ends: after its last part.
 */
export const exchange = (
  received$: Observable<Received>,
  { limitMs, headMs = HEAD_MS, what = 'namerd', head }: ExchangeOptions,
  scheduler: SchedulerLike,
): Observable<Part> =>
  defer(() => {
    const reply = new Reply(what, head);
    const late: Heard = { t: 'broken', cause: `${what}: no reply within ${headMs} ms` };
    const enough$ = timer(REFUSAL_MS, scheduler).pipe(map(() => END));
    const part$ = received$.pipe(
      timeout({ first: headMs, scheduler, with: () => of(late) }),
      catchError((error: unknown) => of<Heard>({ t: 'broken', cause: `${what}: ${error}` })),
      endWith(END),
      mergeMap((heard) => (isRefusal(heard) ? concat(of(heard), enough$) : of(heard))),
      mergeMap((heard) => reply.read(heard)),
    );
    const expired$ = wait(limitMs, scheduler).pipe(map((): Part => ({ t: 'expired' })));
    return merge(part$, expired$).pipe(takeWhile(({ t }) => t === 'bytes', true));
  });
