/** The interpreter of a worker: it asks the primary, and hears what that tells. */
import { concat, defer, finalize, type Observable, of, Subject } from 'rxjs';
import type { Interpreter, Resolution } from '../interpreter/interpreter.ts';
import { keyOfName, type Order, type Word } from './protocol.ts';

type Told = Extract<Order, { t: 'resolved' }>;

/**
 * What a worker knows of names. Bounds: the names that it holds, and those that the primary told it at its begin.
 */
export class RemoteNames {
  readonly #say: (word: Word) => void;
  readonly #heard = new Map<string, Subject<Resolution>>();
  /** Told at the begin, and not asked for yet. */
  readonly #ahead = new Map<string, Resolution>();
  #isNew = true;

  constructor(say: (word: Word) => void) {
    this.#say = say;
  }

  /** Takes what the primary tells. */
  tell(told: Told): void {
    const key = keyOfName(told);
    const heard$ = this.#heard.get(key);
    if (heard$ !== undefined) heard$.next(told.resolution);
    // What comes after its name was let go is of no use.
    else if (this.#isNew) this.#ahead.set(key, told.resolution);
  }

  /** Forgets what was told at the begin and never asked for. */
  forget(): void {
    this.#isNew = false;
    this.#ahead.clear();
  }

  /** The interpreter of one router. */
  interpreter(rt: string): Interpreter {
    return { resolve: (dst) => defer(() => this.#resolve({ rt, dst })) };
  }

  #resolve(name: Parameters<typeof keyOfName>[0]): Observable<Resolution> {
    const key = keyOfName(name);
    const heard$ = new Subject<Resolution>();
    const ahead = this.#ahead.get(key);
    this.#ahead.delete(key);
    this.#heard.set(key, heard$);
    this.#say({ t: 'watch', ...name });
    const all$ = ahead === undefined ? heard$ : concat(of(ahead), heard$);
    return all$.pipe(
      finalize(() => {
        if (this.#heard.get(key) !== heard$) return;
        this.#heard.delete(key);
        this.#say({ t: 'unwatch', ...name });
      }),
    );
  }
}
