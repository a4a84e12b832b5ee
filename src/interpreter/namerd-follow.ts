/** What namerd says of one thing, for as long as somebody asks: a watch, and polls beside or instead. */
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
import type { Parse, Settled, Unsettled } from './answer.ts';
import { type Heard, isGood, type Report } from './heard.ts';
import { makeJournal } from './journal.ts';
import { type IsSame, type Knowledge, learnBy, NOTHING } from './knowledge.ts';
import { type AskSetup, ask, poll } from './poll.ts';
import { Slots } from './slots.ts';
import type { Transport } from './transport.ts';
import { watch } from './watch.ts';
import type { WatchGate } from './watch-gate.ts';

/** Most polls on their way at one time. */
export const MAX_POLLS = 16;

/** A watch that has settled nothing for so long is helped out by a poll. */
export const SILENCE_MS = 2_000;

/** After a fault of our own, a name is looked up from the start. */
const FAULT_MS = 5_000;

/** What it needs of the router that it serves, with the transport settled. */
export interface NamerdContext {
  readonly rt: string;
  readonly report: (event: ResolverEvent) => void;
  readonly http: Transport;
  readonly gate: WatchGate;
}

/** One of namerd’s answers, and how it is read. */
export interface Question<G extends Settled> {
  readonly verb: 'resolve' | 'bind' | 'addr';
  readonly path: Path;
  readonly parse: Parse<G>;
  readonly isSame: IsSame<G>;
}

/** What is told of an answer; `confirmed`: what was settled last has been said again. */
export type Followed<G extends Settled> = G | Unsettled | { readonly t: 'confirmed' };

/** Slashes stay readable; `#`, `%` and the like are escaped. */
const urlOf = (
  { baseUrl, namespace }: NamerdHttpConfig,
  { verb, path }: Pick<Question<Settled>, 'verb' | 'path'>,
): string =>
  `${baseUrl}/api/1/${verb}/${encodeURIComponent(namespace)}` +
  `?path=${encodeURIComponent(path).replaceAll('%2F', '/')}`;

/** Emits, at once and then when it changes, whether the watch has settled something that holds. */
const isSettled$ = (watch$: Observable<Heard<Settled>>): Observable<boolean> =>
  watch$.pipe(
    map((heard) => heard.t === 'said' && isGood(heard.answer)),
    startWith(false),
    distinctUntilChanged(),
  );

/** A set of so many endpoints takes its time: it is read in one turn of the event loop, and put to use in another. */
const LARGE_SET = 1000;

const isLarge = (news: object): boolean =>
  'endpoints' in news && Array.isArray(news.endpoints) && news.endpoints.length >= LARGE_SET;

const newsOf = <G extends Settled>({ news, isConfirmed }: Knowledge<G>): Followed<G> | undefined =>
  news ?? (isConfirmed === true ? { t: 'confirmed' } : undefined);

/** Asks one namespace of one namerd. Bounds: `maxWatches` watches and 16 polls at one time. */
export class Namerd {
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

  /** Follows the answer to a question. Cold. Errors: none. Ends: never. */
  follow<G extends Settled>(question: Question<G>): Observable<Followed<G>> {
    const { path, isSame } = question;
    const { scheduler } = this.#env;
    return defer(() => {
      const journal = makeJournal({ rt: this.#context.rt, dst: path }, this.#env);
      return this.#heard$(question).pipe(
        scan<Heard<G>, Knowledge<G>>(learnBy(isSame), NOTHING),
        tap<Knowledge<G>>(journal),
        map<Knowledge<G>, Followed<G> | undefined>(newsOf),
        filter((news) => news !== undefined),
        concatMap((news) => (isLarge(news) ? of(news).pipe(delay(0, scheduler)) : of(news))),
      );
    }).pipe(
      catchError((error: unknown, again$: Observable<Followed<G>>) =>
        this.#fault(path, error, again$),
      ),
    );
  }

  #heard$<G extends Settled>(question: Question<G>): Observable<Heard<G>> {
    const { http } = this.#context;
    const url = urlOf(this.#config, question);
    const setup = { parse: question.parse, report: this.#reportOf(question.path) };
    const ask$ = this.#polls.hold(ask<G>({ ...setup, open: () => http(url, 'poll') }, this.#env));
    if (!this.#config.watch) return this.#poll$(ask$, 0);
    return this.#watched$({ ...setup, open: () => http(`${url}&watch=true`, 'watch') }, ask$);
  }

  /** A watch as soon as there is a slot for it, and polls beside it. */
  #watched$<G extends Settled>(
    setup: AskSetup<G>,
    ask$: Observable<Heard<G>>,
  ): Observable<Heard<G>> {
    const { retry } = this.#config;
    const helpMs = this.#watches.isFree ? SILENCE_MS : 0;
    const hurry$ = new Subject<void>();
    const poll$ = (isSettled: boolean, i: number): Observable<Heard<G>> => {
      if (isSettled) return this.#poll$(ask$, this.#periodMs);
      return this.#poll$(ask$, i === 0 ? helpMs : SILENCE_MS, () => hurry$.next());
    };
    const { gate } = this.#context;
    return this.#watches
      .hold(gate(watch({ ...setup, retry, hurry$ }, this.#env)))
      .pipe(connect((watch$) => merge(watch$, isSettled$(watch$).pipe(switchMap(poll$)))));
  }

  #poll$<G extends Settled>(
    ask$: Observable<Heard<G>>,
    firstMs: number,
    recovered?: () => void,
  ): Observable<Heard<G>> {
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
  #fault<G extends Settled>(
    dst: Path,
    error: unknown,
    again$: Observable<Followed<G>>,
  ): Observable<Followed<G>> {
    const { rt } = this.#context;
    this.#env.log('error', 'a look-up broke, it is begun again', { rt, dst, error: String(error) });
    const failed: Unsettled = { t: 'failed', cause: `internal: ${error}` };
    return concat(of(failed), timer(FAULT_MS, this.#env.scheduler).pipe(switchMap(() => again$)));
  }
}
