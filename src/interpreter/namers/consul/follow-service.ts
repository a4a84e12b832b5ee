/** One service of Consul, followed by blocking queries. Source: Consul’s documentation of blocking queries. */
import { defer, mergeMap, type Observable, repeat, take, tap } from 'rxjs';
import type { Env } from '../../../env.ts';
import { ByteQueue } from '../../bytes.ts';
import { exchange, type Part } from '../../exchange.ts';
import type { Transport } from '../../transport.ts';
import { Pace, wait } from '../../wait.ts';

/** How long Consul may hold an answer, in seconds; it adds up to a sixteenth. */
export const WAIT_SECS = 60;

/** What Consul may take beyond that. */
const MARGIN_MS = 10_000;
const LIMIT_MS = (WAIT_SECS + WAIT_SECS / 16) * 1000 + MARGIN_MS;

/** Between two queries: what changes all the time is asked for so often at most. */
export const LEAST_MS = 100;

/** Where answers have no index, nothing can be waited for. */
export const BLIND_MS = 5_000;

const RETRY = { baseSeconds: 1, maxSeconds: 60 };
const MOST_BYTES = 32 * 2 ** 20;

/** What one query came to. */
export type Answered =
  | { readonly t: 'body'; readonly text: string }
  | { readonly t: 'failed'; readonly cause: string };

/** What is asked. */
export interface QuerySetup {
  /** Without `index` and `wait`, but with a `?` and what else belongs there. */
  readonly url: string;
  readonly http: Transport;
}

const failed = (cause: string): Answered => ({ t: 'failed', cause });

const read = (body: ByteQueue, part: Part): readonly Answered[] => {
  switch (part.t) {
    case 'bytes':
      body.push(part.bytes);
      return body.size > MOST_BYTES
        ? [failed(`Consul: expected at most ${MOST_BYTES} bytes, got more`)]
        : [];
    case 'ended':
      return [{ t: 'body', text: body.take() }];
    case 'failed':
      return [part];
    case 'expired':
      return [failed(`Consul: no answer within ${LIMIT_MS} ms`)];
  }
};

/**
 * Where the next query begins. An index that goes back means that Consul’s state was restored, or is another one: all is
 * asked for anew. Anything that is no number above 0 is none.
 */
export const nextIndex = (former: number, header: unknown): number | undefined => {
  const index = typeof header === 'string' && /^\d{1,19}$/.test(header) ? Number(header) : 0;
  if (index <= 0) return undefined;
  return index < former ? 0 : index;
};

/** Follows the answers to a query. Errors: none. Ends: never; one query is on its way at one time. */
export const followService = (
  { url, http }: QuerySetup,
  { scheduler, random }: Env,
): Observable<Answered> =>
  defer(() => {
    const pace = new Pace(RETRY, random);
    let index = 0;
    let delayMs = 0;
    const settle = (answered: Answered, next: number | undefined): void => {
      if (answered.t === 'failed') {
        index = 0;
        delayMs = pace.afterFailure();
        return;
      }
      pace.reset();
      delayMs = next === undefined ? BLIND_MS : LEAST_MS;
      index = next ?? 0;
    };
    return defer(() => {
      const body = new ByteQueue();
      let next: number | undefined;
      const blocking = index === 0 ? '' : `&index=${index}&wait=${WAIT_SECS}s`;
      const options = {
        limitMs: LIMIT_MS,
        headMs: LIMIT_MS,
        what: 'Consul',
        head: (headers: Readonly<Record<string, unknown>>) => {
          next = nextIndex(index, headers['x-consul-index']);
        },
      };
      return exchange(http(`${url}${blocking}`, 'watch'), options, scheduler).pipe(
        mergeMap((part) => read(body, part)),
        take(1),
        tap((answered) => settle(answered, next)),
      );
    }).pipe(repeat({ delay: () => wait(delayMs, scheduler) }));
  });
