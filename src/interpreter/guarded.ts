/** Sources that are others’ code too: none of them can take its observers down, or keep them busy. */
import { Observable, type SchedulerLike, type Subscriber, type Subscription } from 'rxjs';
import type { Env } from '../env.ts';

/** A source that threw is asked again after so long. */
export const FAULT_MS = 5_000;

const NONSENSE = 'internal: expected what a namer may say, got something else';

/** How sources are guarded. */
export interface Guard<V> {
  /** What stands for an error. */
  readonly failed: (cause: string) => V;
  /** Whether it is a value at all: sources are others’ code too. */
  readonly isValue: (value: unknown) => value is V;
  /** What comes sooner after another value waits for the end of this time; of several the last one counts. */
  readonly windowMs: number;
}

/** One source that is observed. Each name has two of them: a chain of operators would cost five times as much memory. */
class Guarding<V extends { readonly t: string }> {
  readonly #source$: Observable<V>;
  readonly #guard: Guard<V>;
  readonly #scheduler: SchedulerLike;
  readonly #out: Subscriber<V>;
  #asked: Subscription | undefined;
  #window: Subscription | undefined;
  /** What waits for the end of the window. */
  #late: { readonly value: V } | undefined;

  constructor(
    source$: Observable<V>,
    guard: Guard<V>,
    { scheduler, out }: { readonly scheduler: SchedulerLike; readonly out: Subscriber<V> },
  ) {
    this.#source$ = source$;
    this.#guard = guard;
    this.#scheduler = scheduler;
    this.#out = out;
  }

  start(): void {
    this.#out.add(() => {
      this.#window?.unsubscribe();
      this.#asked?.unsubscribe();
    });
    this.#ask();
  }

  #ask(): void {
    if (this.#out.closed) return;
    const asked = this.#source$.subscribe({
      next: (value) => this.#hear(this.#checked(value)),
      error: (error: unknown) => {
        const cause = error instanceof Error ? error.message : String(error);
        this.#hear(this.#guard.failed(`internal: ${cause}`));
        this.#again();
      },
    });
    // One that threw at once waits to be asked again by now.
    if (this.#out.closed) asked.unsubscribe();
    else if (!asked.closed) this.#asked = asked;
  }

  #again(): void {
    this.#asked = this.#scheduler.schedule(() => this.#ask(), FAULT_MS);
  }

  #checked(value: V): V {
    try {
      if (this.#guard.isValue(value)) return value;
    } catch {
      // What cannot be looked at is no value either.
    }
    return this.#guard.failed(NONSENSE);
  }

  #hear(value: V): void {
    if (this.#window === undefined) this.#tell(value);
    else this.#late = { value };
  }

  #tell(value: V): void {
    // Whoever waits for the first word has waited long enough.
    if (value.t !== 'pending')
      this.#window = this.#scheduler.schedule(() => this.#open(), this.#guard.windowMs);
    this.#out.next(value);
  }

  #open(): void {
    const late = this.#late;
    this.#window = undefined;
    this.#late = undefined;
    if (late !== undefined) this.#tell(late.value);
  }
}

/** Turns an error into a value and asks again later; thins out what comes too fast. Errors: none. Ends: never. */
export const guarded = <V extends { readonly t: string }>(
  source$: Observable<V>,
  guard: Guard<V>,
  { scheduler }: Env,
): Observable<V> =>
  new Observable((out) => new Guarding(source$, guard, { scheduler, out }).start());
