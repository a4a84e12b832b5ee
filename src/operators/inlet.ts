/** What goes into an operator. */
import { Observable, type Subscriber } from 'rxjs';

/**
 * As a `Subject`, for a source that is subscribed to once as a rule: then a value costs one call, where a Subject
 * makes a closure and goes through a copy of its observers. Order: observers in the order in which they came.
 */
export class Inlet<T> {
  readonly #outs: Subscriber<T>[] = [];
  #isOver = false;

  readonly values$ = new Observable<T>((out) => {
    if (this.#isOver) {
      out.complete();
      return undefined;
    }
    this.#outs.push(out);
    return () => {
      const at = this.#outs.indexOf(out);
      if (at >= 0) this.#outs.splice(at, 1);
    };
  });

  next(value: T): void {
    if (this.#outs.length === 1) this.#outs[0]?.next(value);
    else for (const out of [...this.#outs]) out.next(value);
  }

  complete(): void {
    this.#isOver = true;
    for (const out of this.#outs.splice(0)) out.complete();
  }
}
