/** Look-ups of the primary on behalf of its workers: each name once, however many hold it. */
import {
  defer,
  EMPTY,
  filter,
  finalize,
  groupBy,
  map,
  mergeMap,
  type Observable,
  ReplaySubject,
  share,
  switchMap,
  tap,
} from 'rxjs';
import type { Interpreter, Resolution } from '../interpreter/interpreter.ts';
import { keyOfName, type NameKey, type Order, type Word } from './protocol.ts';

type Asked = Extract<Word, { t: 'watch' | 'unwatch' }>;
type Told = Extract<Order, { t: 'resolved' }>;

const isAsked = (word: Word): word is Asked => word.t === 'watch' || word.t === 'unwatch';

/**
 * Shares look-ups. A name is looked up while any worker holds it; who comes later gets the last resolution first.
 * Bounds: the names that the workers hold, each of which has its share of `bindingCache.paths`.
 */
export class Lookups {
  readonly #interpreter$: (rt: string) => Observable<Interpreter>;
  readonly #shared = new Map<string, { readonly rt: string; readonly told$: Observable<Told> }>();
  /** The last resolution of each name that is held. */
  readonly #last = new Map<string, Told>();

  /** `interpreter$` gives the interpreter of a router, again when it changes. */
  constructor(interpreter$: (rt: string) => Observable<Interpreter>) {
    this.#interpreter$ = interpreter$;
  }

  /** What is known now, for a worker that begins. */
  known(): readonly Told[] {
    return [...this.#last.values()];
  }

  /** How many names of a router any worker holds. O(names). */
  count(rt: string): number {
    let count = 0;
    for (const name of this.#shared.values()) if (name.rt === rt) count += 1;
    return count;
  }

  /** Serves the questions of one worker. Emits what it is to be told; unsubscribing lets its names go. Errors: never. */
  serve(word$: Observable<Word>): Observable<Told> {
    return word$.pipe(
      filter(isAsked),
      groupBy((asked: Asked) => keyOfName(asked), {
        duration: (name$) => name$.pipe(filter(({ t }) => t === 'unwatch')),
      }),
      mergeMap((name$) =>
        name$.pipe(switchMap((asked) => (asked.t === 'watch' ? this.#resolve(asked) : EMPTY))),
      ),
    );
  }

  #resolve({ rt, dst }: NameKey): Observable<Told> {
    const key = keyOfName({ rt, dst });
    const known = this.#shared.get(key);
    if (known !== undefined) return known.told$;
    let settled: Resolution = { t: 'pending' };
    const told$ = defer(() => this.#interpreter$(rt)).pipe(
      switchMap((interpreter) => interpreter.resolve(dst)),
      map((resolution): Told => {
        if (resolution.t === 'bound' || resolution.t === 'neg') settled = resolution;
        // Said again in full: a worker that comes later hears the last word only.
        const said = resolution.t === 'confirmed' ? settled : resolution;
        return { t: 'resolved', rt, dst, resolution: said };
      }),
      tap((told) => this.#last.set(key, told)),
      finalize(() => {
        this.#last.delete(key);
        this.#shared.delete(key);
      }),
      share({ connector: () => new ReplaySubject<Told>(1), resetOnRefCountZero: true }),
    );
    this.#shared.set(key, { rt, told$ });
    return told$;
  }
}
