/** The interpreter `io.l5d.namerd.http`: each name is watched at namerd, and polled beside or instead. */
import {
  catchError,
  concat,
  concatMap,
  connect,
  defer,
  delay,
  distinctUntilChanged,
  filter,
  map,
  merge,
  type Observable,
  of,
  Subject,
  scan,
  startWith,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import type { NamerdHttpConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { ResolverEvent } from '../event.ts';
import type { Path } from '../path.ts';
import { type Heard, isGood, type Report } from './heard.ts';
import type { Interpreter, Resolution } from './interpreter.ts';
import { makeJournal } from './journal.ts';
import { learn, NOTHING } from './knowledge.ts';
import { ask, poll } from './poll.ts';
import { Slots } from './slots.ts';
import type { Received, Transport } from './transport.ts';
import { watch } from './watch.ts';
import type { WatchGate } from './watch-gate.ts';

/** Most polls on their way at one time. */
export const MAX_POLLS = 16;

/** A watch that has settled nothing for so long is helped out by a poll. */
export const SILENCE_MS = 2_000;

const CONFIRMED: Resolution = { t: 'confirmed' };

/** After a fault of our own, a name is looked up from the start. */
const FAULT_MS = 5_000;

/** What it needs of the router that it serves, with the transport settled. */
export interface NamerdContext {
  readonly rt: string;
  readonly report: (event: ResolverEvent) => void;
  readonly http: Transport;
  readonly gate: WatchGate;
}

/** The address of a name's state. Slashes stay readable; `#`, `%` and the like are escaped. */
const resolveUrl = ({ baseUrl, namespace }: NamerdHttpConfig, dst: Path): string =>
  `${baseUrl}/api/1/resolve/${encodeURIComponent(namespace)}` +
  `?path=${encodeURIComponent(dst).replaceAll('%2F', '/')}`;

/** Emits, at once and then when it changes, whether the watch has settled something that holds. */
const isSettled$ = (watch$: Observable<Heard>): Observable<boolean> =>
  watch$.pipe(
    map((heard) => heard.t === 'said' && isGood(heard.answer)),
    startWith(false),
    distinctUntilChanged(),
  );

/** A set of so many endpoints takes its time: it is read in one turn of the event loop, and put to use in another. */
const LARGE_SET = 1000;

const apart = (news: Resolution, { scheduler }: Env): Observable<Resolution> =>
  news.t === 'bound' && news.endpoints.length >= LARGE_SET
    ? of(news).pipe(delay(0, scheduler))
    : of(news);

class NamerdHttp implements Interpreter {
  readonly #config: NamerdHttpConfig;
  readonly #context: NamerdContext;
  readonly #env: Env;
  readonly #watches: Slots;
  readonly #polls = new Slots(MAX_POLLS);

  constructor(config: NamerdHttpConfig, context: NamerdContext, env: Env) {
    this.#config = config;
    this.#context = context;
    this.#env = env;
    this.#watches = new Slots(config.maxWatches);
  }

  readonly resolve = (dst: Path): Observable<Resolution> =>
    defer(() => {
      const journal = makeJournal(this.#context.rt, dst, this.#env);
      return this.#heard$(dst).pipe(
        scan(learn, NOTHING),
        tap(journal),
        map(({ news, isConfirmed }) => news ?? (isConfirmed === true ? CONFIRMED : undefined)),
        filter((news) => news !== undefined),
        concatMap((news) => apart(news, this.#env)),
      );
    }).pipe(catchError((error: unknown, again$) => this.#fault(dst, error, again$)));

  #heard$(dst: Path): Observable<Heard> {
    const { http } = this.#context;
    const url = resolveUrl(this.#config, dst);
    const report = this.#reportOf(dst);
    const ask$ = this.#polls.hold(ask(() => http(url, 'poll'), report, this.#env));
    return this.#config.watch
      ? this.#watched$(() => http(`${url}&watch=true`, 'watch'), report, ask$)
      : this.#poll$(ask$, 0);
  }

  /** A watch as soon as there is a slot for it, and polls beside it. */
  #watched$(
    open: () => Observable<Received>,
    report: Report,
    ask$: Observable<Heard>,
  ): Observable<Heard> {
    const { retry } = this.#config;
    const helpMs = this.#watches.isFree ? SILENCE_MS : 0;
    const hurry$ = new Subject<void>();
    const poll$ = (isSettled: boolean, i: number): Observable<Heard> => {
      if (isSettled) return this.#poll$(ask$, this.#periodMs);
      return this.#poll$(ask$, i === 0 ? helpMs : SILENCE_MS, () => hurry$.next());
    };
    const { gate } = this.#context;
    return this.#watches
      .hold(gate(watch({ open, retry, report, hurry$ }, this.#env)))
      .pipe(connect((watch$) => merge(watch$, isSettled$(watch$).pipe(switchMap(poll$)))));
  }

  #poll$(ask$: Observable<Heard>, firstMs: number, recovered?: () => void): Observable<Heard> {
    const { retry } = this.#config;
    return poll({ ask$, firstMs, periodMs: this.#periodMs, retry, recovered }, this.#env);
  }

  get #periodMs(): number {
    return this.#config.periodSecs * 1000;
  }

  #reportOf(dst: Path): Report {
    const { rt, report } = this.#context;
    const common = { t: 'resolved', rt, namespace: this.#config.namespace, dst } as const;
    return (ms, cause) =>
      report(
        cause === undefined ? { ...common, ok: true, ms } : { ...common, ok: false, ms, cause },
      );
  }

  /** A bug of ours must not end a name: it is logged, and the name is looked up from the start. */
  #fault(dst: Path, error: unknown, again$: Observable<Resolution>): Observable<Resolution> {
    const { rt } = this.#context;
    this.#env.log('error', 'a look-up broke, it is begun again', { rt, dst, error: String(error) });
    const failed: Resolution = { t: 'failed', cause: `internal: ${error}` };
    return concat(of(failed), timer(FAULT_MS, this.#env.scheduler).pipe(switchMap(() => again$)));
  }
}

/**
 * Makes the interpreter that asks namerd's HTTP API.
 *
 *   watch   --a-----x            a its first line, x its end
 *   polls   --------------b      2 s later, and then every period
 *   told    --a-----f-----b      f failed: a is kept, and stale
 *
 * Bounds: `maxWatches` watches and 16 polls at one time; names without a watch are polled, and move to one when
 * it is free. Each name costs one watch; a name is watched and polled only while it is subscribed.
 * Source: namerd's control API, `/api/1/resolve`.
 */
export const makeNamerdHttp = (
  config: NamerdHttpConfig,
  context: NamerdContext,
  env: Env,
): Interpreter => new NamerdHttp(config, context, env);
