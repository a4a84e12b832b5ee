/** Exchanges of the API: requests read to their end, replies written at the reader’s pace. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  catchError,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  Observable,
  of,
  switchMap,
  take,
  takeWhile,
  tap,
} from 'rxjs';
import type { Env } from '../env.ts';
import type { Handle } from './handle.ts';
import { empty, type Reply, type Request, words } from './reply.ts';

/** Largest body of a request. */
export const MOST_BODY_BYTES = 1024 * 1024;
/** A reader of a watch that is behind by more when there is something new is let go. */
export const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

/** What was counted since the start, and the watches that are open. */
export interface Counts {
  readonly watches: number;
  readonly requests: number;
  readonly refused: number;
}

/** A request, and where the reply goes. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

const TOO_LONG = words(413, `expected at most ${MOST_BODY_BYTES} bytes of body, got more`);

/** The body as text, or, beyond the bound, the reply to it; nothing if the client goes away. */
const readBody = (incoming: IncomingMessage): Observable<string | Reply> =>
  new Observable((out) => {
    const parts: Buffer[] = [];
    let size = 0;
    incoming.on('data', (bytes: Buffer) => {
      size += bytes.length;
      if (size <= MOST_BODY_BYTES) parts.push(bytes);
      else out.next(TOO_LONG);
    });
    incoming.on('end', () => {
      if (size <= MOST_BODY_BYTES) out.next(Buffer.concat(parts).toString('utf8'));
    });
    incoming.on('error', () => out.complete());
  });

const requestOf = (
  { method = 'GET', url = '/', headers }: IncomingMessage,
  body: string,
): Request => {
  const at = url.indexOf('?');
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers,
    body,
  };
};

/** Ends a stream in the words of what ended it. */
const told = (error: unknown): Observable<string> =>
  of(`${error instanceof Error ? error.message : String(error)}\n`);

/** What is served, and how many watches at most. */
export interface ApiSetup {
  readonly maxWatches: number;
  readonly handle: Handle;
}

/** Serves exchanges, and counts them. */
export class Api {
  readonly #setup: ApiSetup;
  #maxWatches: number;
  readonly #env: Env;
  #watches = 0;
  #requests = 0;
  #refused = 0;

  constructor(setup: ApiSetup, env: Env) {
    this.#setup = setup;
    this.#maxWatches = setup.maxWatches;
    this.#env = env;
  }

  /** From now on so many watches at most; those that are open stay. */
  limit(maxWatches: number): void {
    this.#maxWatches = maxWatches;
  }

  /** What was counted since the start, and the watches that are open. */
  counts(): Counts {
    return { watches: this.#watches, requests: this.#requests, refused: this.#refused };
  }

  /** One exchange, until its reply is out or this is unsubscribed. Errors: none. */
  readonly serve = ({ incoming, outgoing }: Exchange): Observable<never> =>
    readBody(incoming).pipe(
      take(1),
      switchMap((body) => {
        this.#requests += 1;
        if (typeof body !== 'string') return of(body);
        return this.#setup.handle(requestOf(incoming, body));
      }),
      switchMap((reply) => this.#send(reply, outgoing)),
      catchError((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#env.log('error', 'a request of the API broke', { url: incoming.url, error: text });
        if (!outgoing.headersSent) return this.#send(empty(500), outgoing);
        outgoing.destroy();
        return EMPTY;
      }),
    );

  #send({ status, headers = {}, body: whole }: Reply, outgoing: ServerResponse): Observable<never> {
    // A stream that is not sent would never end.
    const body = outgoing.req.method === 'HEAD' && typeof whole === 'object' ? undefined : whole;
    if (typeof body === 'object') return this.#stream(headers, body, outgoing);
    return defer(() => {
      if (body !== undefined) outgoing.setHeader('content-length', Buffer.byteLength(body));
      // What was not read of a request must not be taken for the next one.
      if (status === TOO_LONG.status) outgoing.setHeader('connection', 'close');
      outgoing.writeHead(status, headers).end(body);
      return EMPTY;
    });
  }

  #letGo(outgoing: ServerResponse): void {
    this.#refused += 1;
    // Of a reply that waits for its turn nothing else would end.
    outgoing.req.socket.destroy();
  }

  /** The head goes out before anything is known. */
  #stream(
    headers: NonNullable<Reply['headers']>,
    body: Observable<string>,
    outgoing: ServerResponse,
  ): Observable<never> {
    if (this.#watches >= this.#maxWatches) {
      this.#refused += 1;
      return this.#send(
        words(503, `expected at most ${this.#maxWatches} watches, got one more`),
        outgoing,
      );
    }
    return defer(() => {
      this.#watches += 1;
      outgoing.writeHead(200, headers).flushHeaders();
      return body.pipe(
        map((line) => `${line}\n`),
        catchError(told),
        tap({ complete: () => outgoing.end() }),
        // A document may be as large as it likes, as long as those before it are read.
        takeWhile(() => outgoing.writableLength <= MOST_UNREAD_BYTES),
        tap({
          next: (text) => outgoing.write(text),
          complete: () => outgoing.writableEnded || this.#letGo(outgoing),
        }),
        ignoreElements(),
        finalize(() => {
          this.#watches -= 1;
        }),
      );
    });
  }
}
