/** The binder: envelopes by destination, one balancer each, cached while in use and let go when idle. */
import {
  catchError,
  defer,
  EMPTY,
  filter,
  finalize,
  groupBy,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
} from 'rxjs';
import type { Status } from './balancer/balance.ts';
import type { Envelope } from './envelope.ts';
import { type Held, Names } from './names.ts';
import type { Path } from './path.ts';
import { serialize } from './serialize.ts';
import type { Timer, Timers } from './timers.ts';

/** What a binder works with. */
export interface BinderSetup {
  readonly limits: () => { readonly paths: number; readonly idleTtlSecs: number };
  readonly timers: Timers;
  /** Makes the balancer of a name; it tells its status through the callback after each change. */
  readonly balance: (
    dst: Path,
    status: (status: Status) => void,
  ) => (envelope$: Observable<Envelope>) => Observable<never>;
  /** Turns away an envelope that finds no place. */
  readonly refuse: (envelope: Envelope) => void;
  /** A name came, a name went, a balancer broke. */
  readonly named: (dst: Path) => void;
  readonly unnamed: (dst: Path) => void;
  readonly broken: (dst: Path, error: unknown) => void;
  /** An envelope has its balancer; finding or making it took `us`. */
  readonly found: (dst: Path, how: { readonly isNew: boolean; readonly us: number }) => void;
}

/** A name that is new is not idle: an envelope is on its way to it. */
const FRESH: Status = { idle: false, quality: 'bad' };

/** One name from the side of its balancer. */
interface Hold {
  readonly note: (status: Status) => void;
  /** Lets the name go. */
  readonly evict: () => void;
  /** The balancer has ended. */
  readonly forget: () => void;
}

class Binder {
  readonly #setup: BinderSetup;
  readonly #names = new Names();
  /** When the envelope in hand came. */
  #since = 0;

  constructor(setup: BinderSetup) {
    this.#setup = setup;
  }

  /** Whether there is a balancer for an envelope, or room for one. */
  readonly admit = (envelope: Envelope): boolean => {
    const { limits, refuse, timers } = this.#setup;
    this.#since = timers.now();
    if (this.#names.has(envelope.dst)) this.#found(envelope.dst, false);
    else if (!this.#names.makeRoom(limits().paths)) {
      refuse(envelope);
      return false;
    }
    return true;
  };

  #found(dst: Path, isNew: boolean): void {
    const { found, timers } = this.#setup;
    found(dst, { isNew, us: Math.round((timers.now() - this.#since) * 1000) });
  }

  /** Runs one name from its first envelope until it is evicted and its last stream has ended. */
  readonly run = (envelope$: Observable<Envelope>, dst: Path): Observable<never> => {
    const { balance, broken, named, unnamed } = this.#setup;
    const { note, evict, forget } = this.#hold(dst);
    named(dst);
    return defer(() => balance(dst, note)(envelope$)).pipe(
      // A balancer that breaks takes its own name down and no other; the next envelope makes a new one.
      catchError((error: unknown) => {
        evict();
        broken(dst, error);
        return EMPTY;
      }),
      finalize(() => {
        forget();
        unnamed(dst);
      }),
    );
  };

  /** Emits when a name is to be let go; at once if it broke while it was made. */
  readonly evicted = (dst: Path): Observable<void> => {
    this.#found(dst, true);
    return this.#names.get(dst)?.evict$ ?? of(undefined);
  };

  /** Keeps a name until it is evicted, which it is once it has been idle for so long. */
  #hold(dst: Path): Hold {
    const { timers, limits } = this.#setup;
    const names = this.#names;
    const evict$ = new Subject<void>();
    let timer: Timer | undefined;
    const forget = (): void => {
      timer?.drop();
      names.remove(dst, held);
    };
    const evict = (): void => {
      forget();
      evict$.next();
    };
    const held: Held = {
      status: FRESH,
      idleSince: 0,
      isHeld: false,
      before: undefined,
      after: undefined,
      evict$,
      evict,
    };
    const look = (): void => {
      timer = undefined;
      if (!held.status.idle) return;
      const ttlMs = limits().idleTtlSecs * 1000;
      const left = held.idleSince + ttlMs - timers.now();
      // A stale set cannot be had again: it is looked at later.
      if (left <= 0 && held.status.quality !== 'stale') evict();
      else timer = timers.after(left > 0 ? left : ttlMs, look);
    };
    const note = (status: Status): void => {
      if (!held.isHeld) return;
      names.note(held, status, timers.now());
      if (status.idle) timer ??= timers.after(limits().idleTtlSecs * 1000, look);
    };
    names.add(dst, held);
    return { note, evict, forget };
  }
}

/**
 * Routes each envelope to the balancer of its destination, making one on first use.
 *
 *   in      -a-b-c----|      a, c → /svc/a   b → /svc/b
 *   sub a   -^--------!      one balancer per name, however many connections
 *   sub b   ---^------!
 *
 * Order: an envelope reaches its balancer synchronously; one that is caused by another waits its turn.
 * Bounds: `limits().paths` names; the one longest idle makes room, and only when all are in use is an
 * envelope refused. Errors: never; a balancer that breaks is told and made anew by the next envelope.
 * Ends: when the source has ended and every balancer has.
 */
export const bind = (setup: BinderSetup): OperatorFunction<Envelope, never> => {
  return (envelope$) => {
    const binder = new Binder(setup);
    return envelope$.pipe(
      serialize(),
      filter(binder.admit),
      groupBy(({ dst }) => dst, { duration: ({ key }) => binder.evicted(key) }),
      mergeMap((group$) => binder.run(group$, group$.key)),
    );
  };
};
