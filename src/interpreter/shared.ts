/** Sources that several ask for: each is observed once. */
import { defer, Observable, type SchedulerLike, type Subscriber, type Subscription } from 'rxjs';
import type { Env } from '../env.ts';

/** A source that nobody observes any more goes on for so long: who changes hands need not begin anew. */
export const LINGER_MS = 1_000;

/** One source, from its first observer to a while after its last. */
class Shared<V> {
  readonly #source$: Observable<V>;
  readonly #scheduler: SchedulerLike;
  readonly #ended: () => void;
  readonly #observers = new Set<Subscriber<V>>();
  #last: { readonly value: V } | undefined;
  #isBegun = false;
  #observed: Subscription | undefined;
  #linger: Subscription | undefined;

  constructor(
    source$: Observable<V>,
    { scheduler, ended }: { readonly scheduler: SchedulerLike; readonly ended: () => void },
  ) {
    this.#source$ = source$;
    this.#scheduler = scheduler;
    this.#ended = ended;
  }

  observe(out: Subscriber<V>): void {
    this.#linger?.unsubscribe();
    this.#observers.add(out);
    out.add(() => this.#leave(out));
    if (this.#last !== undefined) out.next(this.#last.value);
    if (!this.#isBegun) this.#begin();
  }

  #begin(): void {
    // Said first: what it tells at once may lead back here.
    this.#isBegun = true;
    this.#observed = this.#source$.subscribe({
      next: (value) => {
        this.#last = { value };
        for (const one of [...this.#observers]) one.next(value);
      },
      error: (error: unknown) => this.#end((one) => one.error(error)),
      complete: () => this.#end((one) => one.complete()),
    });
  }

  #leave(out: Subscriber<V>): void {
    this.#observers.delete(out);
    if (this.#observers.size > 0) return;
    this.#linger?.unsubscribe();
    this.#linger = this.#scheduler.schedule(() => {
      this.#observed?.unsubscribe();
      this.#ended();
    }, LINGER_MS);
  }

  #end(tell: (one: Subscriber<V>) => void): void {
    this.#ended();
    for (const one of [...this.#observers]) tell(one);
    this.#linger?.unsubscribe();
  }
}

/**
 * Shares sources by a key of what they are asked for: one is subscribed while somebody holds it and `LINGER_MS` longer,
 * and who comes later gets the last value first. Bounds: what is held, and was until then.
 */
export const sharedBy = <A, V>(
  keyOf: (asked: A) => string,
  source: (asked: A) => Observable<V>,
  { scheduler }: Env,
): ((asked: A) => Observable<V>) => {
  const all = new Map<string, Shared<V>>();
  const make = (key: string, asked: A): Shared<V> => {
    const ended = (): void => {
      if (all.get(key) === made) all.delete(key);
    };
    const made = new Shared(
      defer(() => source(asked)),
      { scheduler, ended },
    );
    all.set(key, made);
    return made;
  };
  // Found when it is subscribed: what is only asked for leaves nothing behind, and what was kept is not outlived.
  return (asked) =>
    new Observable((out) => {
      const key = keyOf(asked);
      (all.get(key) ?? make(key, asked)).observe(out);
    });
};
