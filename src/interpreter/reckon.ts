/** Values that are computed from others, which are found out only while computing. */
import { Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';
import { type Turns, turnsOf } from './turns.ts';

/** Most rounds of one reckoning, in each of which sources that were not asked before answer at once. */
const MOST_ROUNDS = 1000;

/** What is computed, and from what. */
export interface ReckonSetup<I, A, V, R> {
  readonly input$: Observable<I>;
  /** Where the value of something comes from; subscribed while the last reckoning asked for it. */
  readonly source: (asked: A) => Observable<V>;
  /** Things with equal keys have the same value. */
  readonly keyOf: (asked: A) => string;
  /** Pure. `known` gives the last value of something, `undefined` before the first. */
  readonly compute: (input: I, known: (asked: A) => V | undefined) => R;
}

interface Held<V> {
  value: V | undefined;
  readonly subscription: Subscription;
}

class Reckoning<I, A, V, R> {
  readonly #setup: ReckonSetup<I, A, V, R>;
  readonly #turns: Turns;
  readonly #out: Subscriber<R>;
  readonly #held = new Map<string, Held<V>>();
  #input: { readonly value: I } | undefined;
  #isReckoning = false;
  #isOld = false;

  constructor(
    setup: ReckonSetup<I, A, V, R>,
    { scheduler, out }: { readonly scheduler: SchedulerLike; readonly out: Subscriber<R> },
  ) {
    this.#setup = setup;
    this.#turns = turnsOf(scheduler);
    this.#out = out;
  }

  start(): void {
    this.#out.add(() => this.#end());
    this.#out.add(
      this.#setup.input$.subscribe({
        next: (value) => {
          const isFirst = this.#input === undefined;
          this.#input = { value };
          if (isFirst) this.#reckon();
          else this.#soon();
        },
        error: (error: unknown) => this.#out.error(error),
      }),
    );
  }

  /** At the end of this turn, when all that changes in it has changed. */
  #soon(): void {
    if (this.#isReckoning) this.#isOld = true;
    else this.#turns.add(this.#reckon);
  }

  readonly #reckon = (): void => {
    if (this.#input === undefined) return;
    const { value: input } = this.#input;
    this.#isReckoning = true;
    let asked: ReadonlySet<string>;
    let result: R;
    let rounds = 0;
    do {
      this.#isOld = false;
      const now = new Set<string>();
      result = this.#setup.compute(input, (one) => {
        const key = this.#setup.keyOf(one);
        now.add(key);
        // What is known at once is taken at once: one after another would be a round each.
        return this.#hold(key, one).value;
      });
      asked = now;
      rounds += 1;
    } while (this.#isOld && rounds < MOST_ROUNDS && !this.#out.closed);
    this.#isReckoning = false;
    for (const key of this.#held.keys()) if (!asked.has(key)) this.#drop(key);
    this.#out.next(result);
  };

  #hold(key: string, asked: A): Held<V> {
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const held: Held<V> = { value: undefined, subscription: new Subscription() };
    if (this.#out.closed) return held;
    this.#held.set(key, held);
    let isAsking = true;
    held.subscription.add(
      this.#setup.source(asked).subscribe({
        next: (value) => {
          held.value = value;
          if (!isAsking) this.#soon();
        },
        error: (error: unknown) => this.#out.error(error),
      }),
    );
    isAsking = false;
    return held;
  }

  #drop(key: string): void {
    this.#held.get(key)?.subscription.unsubscribe();
    this.#held.delete(key);
  }

  #end(): void {
    this.#turns.drop(this.#reckon);
    for (const key of [...this.#held.keys()]) this.#drop(key);
  }
}

/**
 * Computes a value again whenever its input, or something that it asked for, changes. Only what the last computation
 * asked for is subscribed; what both it and the one before asked for stays subscribed.
 *
 *   input   a--------b-      a asks for x and y, b for y alone
 *   x       -1--2----        both change in the frame of 2 and 3: told once
 *   y       -1--3------
 *   told    ?a--a----b-
 *
 * Order: the first value comes with the first input, at once; later ones at the end of the turn in which something
 * changed, or, where many have changed, in one of those that follow (`Turns`). Errors: those of the input and the sources. Ends: never by itself.
 */
export const reckon = <I, A, V, R>(
  setup: ReckonSetup<I, A, V, R>,
  scheduler: SchedulerLike,
): Observable<R> => new Observable((out) => new Reckoning(setup, { scheduler, out }).start());
