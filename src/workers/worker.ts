/** A worker: the routers of a config, on the orders of the primary. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import {
  defer,
  EMPTY,
  endWith,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  ReplaySubject,
  take,
  tap,
} from 'rxjs';
import type { Snapshot } from '../admin/snapshot.ts';
import type { Config } from '../config/config.ts';
import type { LocalEngine, Prepared } from '../engine.ts';
import type { RouterEvent } from '../event.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import type { Timers } from '../timers.ts';
import type { RouterView } from '../view.ts';
import { Counts } from './counts.ts';
import type { Order, Word } from './protocol.ts';
import { RemoteNames } from './remote.ts';

/** What a worker is given. */
export interface WorkerSetup {
  readonly order$: Observable<Order>;
  readonly say: (word: Word) => void;
  /** Makes the routers; `config` gives the config in force, names are asked of the primary, and `heard` is told all that happens. */
  readonly engine: (
    config: () => Config,
    interpret: (rt: string) => Interpreter,
    heard: (event: RouterEvent) => void,
  ) => LocalEngine;
  /** A config takes effect. */
  readonly configure: (config: Config) => void;
  readonly timers: Timers;
}

/** What was told ahead is kept for names that come soon. */
const AHEAD_MS = 60_000;

class Worker {
  readonly #setup: WorkerSetup;
  readonly #names: RemoteNames;
  readonly #counts: Counts;
  readonly #config$ = new ReplaySubject<Config>(1);
  /** From the first config on. */
  #engine: LocalEngine | undefined;
  #inForce: Config | undefined;
  /** What is being told of what is recorded; one at a time. */
  #recording: Iterator<string> | undefined;
  #offered: { readonly config: Config; readonly prepared: Prepared } | undefined;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    const { say, timers } = setup;
    this.#names = new RemoteNames(say);
    this.#counts = new Counts({ say, timers, snapshot: this.#snapshot });
  }

  run(): Observable<unknown> {
    const { order$, say, timers } = this.#setup;
    const running$ = this.#config$.pipe(
      take(1),
      mergeMap(() => this.#engine?.run(this.#config$) ?? EMPTY),
      endWith('over'),
    );
    const began$ = defer(() => {
      timers.after(AHEAD_MS, () => this.#names.forget());
      say({ t: 'ready' });
      return EMPTY;
    });
    const obeyed$ = order$.pipe(mergeMap((order) => this.#obey(order)));
    return merge(running$, obeyed$, began$).pipe(take(1));
  }

  #obey(order: Order): Observable<never> {
    switch (order.t) {
      case 'prepare':
        return this.#prepare(order);
      case 'commit':
        this.#commit();
        break;
      case 'cancel':
        this.#offered?.prepared.cancel();
        this.#offered = undefined;
        break;
      case 'resolved':
        this.#names.tell(order);
        break;
      case 'count':
        this.#setup.say({ t: 'counted', ask: order.ask, snapshot: this.#snapshot() });
        break;
      case 'record':
        this.#setup.say({ t: 'recorded', ask: order.ask, ...this.#recorded(order) });
        break;
      case 'unrecord':
        this.#recording = undefined;
        break;
      case 'view':
        this.#setup.say({ t: 'viewed', ask: order.ask, view: this.#view(order.rt) });
        break;
      case 'drain':
        if (this.#inForce !== undefined) this.#engine?.stop(this.#inForce);
        this.#config$.complete();
        break;
      case 'cut':
        if (this.#inForce !== undefined) this.#engine?.cut(this.#inForce);
        break;
    }
    return EMPTY;
  }

  #prepare({ ask, config }: Extract<Order, { t: 'prepare' }>): Observable<never> {
    const { engine, say } = this.#setup;
    this.#engine ??= engine(
      () => this.#inForce ?? config,
      (rt) => this.#names.interpreter(rt),
      this.#counts.stir,
    );
    const told = (result: Either<readonly string[], Prepared>): void => {
      if (!isLeft(result)) this.#offered = { config, prepared: result.right };
      say({ t: 'prepared', ask, errors: isLeft(result) ? result.left : [] });
    };
    return this.#engine.prepare(config).pipe(tap(told), ignoreElements());
  }

  readonly #snapshot = (): Snapshot => this.#engine?.snapshot() ?? [];

  #commit(): void {
    if (this.#offered === undefined) return;
    const { config, prepared } = this.#offered;
    this.#offered = undefined;
    this.#inForce = config;
    this.#setup.configure(config);
    prepared.commit();
    this.#config$.next(config);
  }

  #recorded({
    isFirst,
    core,
  }: Extract<Order, { t: 'record' }>): Pick<Extract<Word, { t: 'recorded' }>, 'piece' | 'isLost'> {
    if (isFirst) this.#recording = this.#engine?.recording(core)[Symbol.iterator]();
    const next = this.#recording?.next();
    const isOver = next === undefined || next.done === true;
    if (isOver) this.#recording = undefined;
    return { piece: isOver ? undefined : next.value, isLost: next === undefined };
  }

  #view(rt: string): RouterView | undefined {
    for (const view of this.#engine?.routers() ?? []) if (view.label === rt) return view;
    return undefined;
  }
}

/** Works until the primary has it drained and the last stream has ended; then emits and completes. */
export const worker = (setup: WorkerSetup): Observable<unknown> =>
  defer(() => new Worker(setup).run());
