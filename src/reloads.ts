/** Reloads as they are asked for, and how the log tells of them. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { distinctUntilChanged, EMPTY, map, type Observable, switchMap } from 'rxjs';
import { changes } from './config/changes.ts';
import { signatureOfAll } from './config/files.ts';
import type { Env } from './env.ts';
import type { Reloaded, Request } from './lifecycle.ts';
import type { Log } from './log.ts';

/** How a reload went, in words. */
const WORDS: Readonly<Record<Reloaded, readonly [good: string, bad: string]>> = {
  config: ['reloaded', 'reload failed'],
  certificates: ['certificates reloaded', 'the old certificates stay'],
};

/** Has the log know how a reload went, beside whoever asked for it. */
export const told =
  (log: Log) =>
  (request: Request): Request => {
    if (request.t !== 'reload') return request;
    const { what } = request;
    const [good, bad] = WORDS[what];
    const answer = (result: Either<readonly string[], void>): void => {
      if (isLeft(result)) for (const error of result.left) log('error', bad, { error });
      else log('info', good);
      request.answer(result);
    };
    return { t: 'reload', what, answer };
  };

const ignore = (): void => undefined;

/** What a signal asks, with nobody to answer to. */
export const RELOAD: Request = { t: 'reload', what: 'config', answer: ignore };

const RENEW: Request = { t: 'reload', what: 'certificates', answer: ignore };

/** Asks for a reload whenever one of the files of certificates and keys changes. Errors: none. */
export const renewed = (paths$: Observable<readonly string[]>, env: Env): Observable<Request> =>
  paths$.pipe(
    distinctUntilChanged((a, b) => a.join('\n') === b.join('\n')),
    switchMap((paths) => (paths.length === 0 ? EMPTY : changes(() => signatureOfAll(paths), env))),
    map(() => RENEW),
  );
