/** The engine of a primary: workers serve; it keeps them, tells them what to do, and sums them up. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import {
  defaultIfEmpty,
  EMPTY,
  filter,
  firstValueFrom,
  forkJoin,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  Subject,
  type Subscription,
  share,
  tap,
} from 'rxjs';
import { Ledger } from '../admin/ledger.ts';
import type { Metrics } from '../admin/metrics.ts';
import type { Config } from '../config/config.ts';
import { DEFAULT_POLICY } from '../config/policy.ts';
import type { Engine, Prepared } from '../engine.ts';
import type { Env } from '../env.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import type { RouterView } from '../view.ts';
import { type Child, Crew } from './crew.ts';
import { Lookups } from './lookups.ts';
import { mergeViews } from './merge-views.ts';
import { recordingsOf } from './recordings.ts';
import { shareConfig } from './shares.ts';
import { supervise } from './supervise.ts';

/** What a fleet is made of. */
export interface FleetSetup {
  readonly workers: number;
  readonly spawn: (slot: number) => Child;
  /** The interpreter of a router, again when it changes. */
  readonly interpreter$: (config$: Observable<Config>, rt: string) => Observable<Interpreter>;
  readonly explain: Engine['explain'];
  /** Of the primary itself: its look-ups. */
  readonly metrics: Metrics;
  readonly turn: () => Promise<void>;
}

const PRIMARY = 'primary';

class Fleet implements Engine {
  readonly #setup: FleetSetup;
  readonly #env: Env;
  readonly #crew: Crew;
  readonly #lookups: Lookups;
  readonly #ledger = new Ledger(() => this.#inForce?.admin.maxNameSeries ?? 0);
  readonly #config$ = new ReplaySubject<Config>(1);
  readonly #stop$ = new ReplaySubject<void>(1);
  readonly #kept$: Observable<never>;
  /** Workers that have what is in force; a reload is theirs to prepare. */
  readonly #upToDate = new Set<number>();
  /** Workers that a config was committed without. */
  readonly #missed$ = new Subject<number>();
  /** Workers that are being brought up. */
  readonly #bringing = new Set<number>();
  #keeping: Subscription | undefined;
  #inForce: Config | undefined;

  constructor(setup: FleetSetup, env: Env) {
    const { workers, interpreter$ } = setup;
    this.#setup = setup;
    this.#env = env;
    this.#crew = new Crew(env.scheduler);
    this.#lookups = new Lookups((rt) => interpreter$(this.#config$, rt));
    const run = (slot: number): Observable<never> => this.#work(slot);
    const ended = (worker: number, delayMs: number): void => {
      setup.metrics.restarted();
      env.log('error', 'a worker has ended and is begun again', { worker, delayMs });
    };
    this.#kept$ = supervise({ workers, run, ended, stop$: this.#stop$ }, env).pipe(share());
  }

  readonly prepare = (config: Config): Observable<Either<readonly string[], Prepared>> => {
    this.#keeping ??= this.#kept$.subscribe();
    // One that is being brought up has prepared something else.
    const slots$ =
      this.#inForce === undefined
        ? this.#crew.assembled(this.#setup.workers)
        : of([...this.#upToDate]);
    return slots$.pipe(mergeMap((slots) => this.#prepareAll(slots, config)));
  };

  #prepareAll(
    slots: readonly number[],
    config: Config,
  ): Observable<Either<readonly string[], Prepared>> {
    const cancel = (): void => this.#crew.tell({ t: 'cancel' }, slots);
    return forkJoin(slots.map((slot) => this.#prepareOne(slot, config))).pipe(
      map((answers) => answers.flat()),
      // With no worker here there is nothing to bind: those that begin are brought up.
      defaultIfEmpty<readonly string[], readonly string[]>([]),
      map((errors) => {
        if (errors.length === 0)
          return right({ commit: () => this.#commit(config, slots), cancel });
        cancel();
        return left([...new Set(errors)]);
      }),
    );
  }

  readonly run = (config$: Observable<Config>): Observable<never> =>
    merge(config$.pipe(tap({ complete: () => this.#drain() }), ignoreElements()), this.#kept$);

  /** Each worker draws for itself. */
  readonly preview = (): undefined => undefined;

  get explain(): Engine['explain'] {
    return this.#setup.explain;
  }

  readonly stop = (): void => undefined;

  readonly cut = (): void => this.#crew.tell({ t: 'cut' });

  readonly metrics = async (): Promise<string> => {
    const { metrics, turn } = this.#setup;
    // One that is being brought up has nothing yet, which is not what it will have.
    await lastValueFrom(merge(...[...this.#upToDate].map((slot) => this.#count(slot))), {
      defaultValue: undefined,
    });
    this.#ledger.update(PRIMARY, metrics.snapshot());
    const total = this.#ledger.total();
    for (const router of total.of('router'))
      total.gauges.note(router, 'l5d:router:names', this.#lookups.count(router.labels['rt'] ?? ''));
    return metrics.renderTotal(total, turn);
  };

  readonly routers = (): AsyncIterable<RouterView> => this.#views();

  async *#views(): AsyncGenerator<RouterView> {
    for (const { label: rt } of this.#inForce?.routers ?? []) {
      const replies = await Promise.all(
        this.#crew.slots().map((slot) =>
          firstValueFrom(
            this.#crew.ask(slot, (ask) => ({ t: 'view', ask, rt }), 'viewed'),
            { defaultValue: undefined },
          ),
        ),
      );
      const views = replies.flatMap((reply) => (reply?.view === undefined ? [] : [reply.view]));
      const view = mergeViews(views);
      if (view !== undefined) yield view;
    }
  }

  readonly recording = (): AsyncIterable<string> => recordingsOf(this.#crew);

  /** One worker from its begin to its exit. */
  #work(slot: number): Observable<never> {
    const child = this.#setup.spawn(slot);
    const told$ = this.#lookups.serve(child.word$).pipe(tap(child.tell));
    const counted$ = child.word$.pipe(
      tap((word) => {
        if (word.t === 'counts') this.#ledger.update(String(slot), word.snapshot);
      }),
    );
    const begun$ = this.#crew.enter(slot, child).pipe(mergeMap(() => this.#bringUp(slot, child)));
    const missed$ = this.#missed$.pipe(
      filter((missed) => missed === slot),
      mergeMap(() => this.#bringUp(slot, child)),
    );
    const left = (): void => {
      this.#upToDate.delete(slot);
      this.#bringing.delete(slot);
      this.#ledger.lost(String(slot));
    };
    return merge(told$, counted$, begun$, missed$).pipe(
      ignoreElements(),
      this.#crew.whileHere(slot, child, left),
    );
  }

  /** Has a worker that comes later do what the others do. */
  #bringUp(slot: number, child: Child): Observable<unknown> {
    const config = this.#inForce;
    if (config === undefined || this.#bringing.has(slot)) return EMPTY;
    this.#bringing.add(slot);
    this.#upToDate.delete(slot);
    for (const told of this.#lookups.known()) child.tell(told);
    return this.#prepareOne(slot, config).pipe(
      mergeMap((errors) => {
        this.#bringing.delete(slot);
        for (const error of errors) this.#env.log('error', error, { worker: slot });
        if (errors.length > 0) {
          child.kill();
          return EMPTY;
        }
        child.tell({ t: 'commit' });
        this.#upToDate.add(slot);
        // A reload that passed it by meanwhile.
        return this.#inForce === config ? EMPTY : this.#bringUp(slot, child);
      }),
    );
  }

  #prepareOne(slot: number, config: Config): Observable<readonly string[]> {
    const { workers } = this.#setup;
    const share = shareConfig(config, DEFAULT_POLICY, { slot, workers });
    return this.#crew
      .ask(slot, (ask) => ({ t: 'prepare', ask, config: share }), 'prepared')
      .pipe(
        map(({ errors }) => errors),
        // One that ends over it is begun again, and brought up then.
        defaultIfEmpty([]),
      );
  }

  #commit(config: Config, slots: readonly number[]): void {
    this.#inForce = config;
    this.#config$.next(config);
    this.#crew.tell({ t: 'commit' }, slots);
    for (const slot of slots) this.#upToDate.add(slot);
    for (const slot of this.#crew.slots()) if (!slots.includes(slot)) this.#missed$.next(slot);
  }

  #drain(): void {
    this.#stop$.next();
    this.#crew.tell({ t: 'drain' });
  }

  #count(slot: number): Observable<unknown> {
    return this.#crew
      .ask(slot, (ask) => ({ t: 'count', ask }), 'counted')
      .pipe(tap(({ snapshot }) => this.#ledger.update(String(slot), snapshot)));
  }
}

/** Makes the engine of a primary. It begins its workers with the first config that it is to prepare. */
export const fleetEngine = (setup: FleetSetup, env: Env): Engine => new Fleet(setup, env);
