/** The workers that are here: told things, and asked. */
import {
  defer,
  filter,
  finalize,
  type MonoTypeOperatorFunction,
  map,
  type Observable,
  of,
  race,
  type SchedulerLike,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Order, Reply, Word } from './protocol.ts';

/** A worker from the side of the primary. */
export interface Child {
  /** What it says. Hot; completes with its exit. */
  readonly word$: Observable<Word>;
  /** Emits when it has ended, also to who comes later. */
  readonly exit$: Observable<unknown>;
  /** Nothing happens when it is gone. */
  readonly tell: (order: Order) => void;
  readonly kill: () => void;
}

/** A worker that gives no answer for so long is not waited for, in ms. */
const ANSWER_MS = 5000;

/** All workers must have begun in this time, or the others do not wait for them, in ms. */
const ASSEMBLE_MS = 30_000;

type Of<T extends Reply['t']> = Extract<Reply, { readonly t: T }>;

/** Bounds: one worker per slot. */
export class Crew {
  readonly #children = new Map<number, Child>();
  readonly #entered$ = new Subject<void>();
  readonly #scheduler: SchedulerLike;
  #lastAsk = 0;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  slots(): readonly number[] {
    return [...this.#children.keys()];
  }

  /** Takes a worker in when it is ready; emits then, once. */
  enter(slot: number, child: Child): Observable<void> {
    return child.word$.pipe(
      filter(({ t }) => t === 'ready'),
      take(1),
      map(() => undefined),
      tap(() => {
        this.#children.set(slot, child);
        this.#entered$.next();
      }),
    );
  }

  /** Ends with the worker, kills it when it is unsubscribed, and has it leave. */
  whileHere<T>(slot: number, child: Child, left: () => void): MonoTypeOperatorFunction<T> {
    return (source$) =>
      source$.pipe(
        takeUntil(child.exit$),
        finalize(() => {
          if (this.#children.get(slot) === child) this.#children.delete(slot);
          child.kill();
          left();
        }),
      );
  }

  /** The slots once so many workers are here; after a time, those that are. */
  assembled(workers: number): Observable<readonly number[]> {
    return defer(() => {
      if (this.#children.size >= workers) return of(this.slots());
      const all$ = this.#entered$.pipe(filter(() => this.#children.size >= workers));
      return race(all$, timer(ASSEMBLE_MS, this.#scheduler)).pipe(
        take(1),
        map(() => this.slots()),
      );
    });
  }

  /** Tells these workers, or all. */
  tell(order: Order, slots: readonly number[] = this.slots()): void {
    for (const slot of slots) this.#children.get(slot)?.tell(order);
  }

  /** Asks one worker. Ends without an answer when it is gone or says nothing. */
  ask<T extends Reply['t']>(
    slot: number,
    order: (ask: number) => Order,
    wanted: T,
  ): Observable<Of<T>> {
    return defer(() => {
      const ask = ++this.#lastAsk;
      const child = this.#children.get(slot);
      if (child === undefined) return [];
      const isAnswer = (word: Word): word is Of<T> =>
        word.t === wanted && 'ask' in word && word.ask === ask;
      child.tell(order(ask));
      return child.word$.pipe(
        filter(isAnswer),
        take(1),
        takeUntil(timer(ANSWER_MS, this.#scheduler)),
      );
    });
  }
}
