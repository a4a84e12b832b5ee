/** One operator at work: what it holds, what it may give back, and how it begins anew when it has broken. */
import { defer, type Observable, type Subscription } from 'rxjs';
import type { CloseReason } from '../close-reason.ts';
import type { Envelope } from '../envelope.ts';
import type { OperatorEvent } from '../event.ts';
import { Table } from '../table.ts';
import type { Timer, Timers } from '../timers.ts';
import { Inlet } from './inlet.ts';
import { isRefusal, type Operator, type Refusal } from './operator.ts';
import { idOf, revise } from './revise.ts';

/** An envelope without a deadline ends so long after an operator has got it, if it keeps it. */
export const LONGEST_HOLD_MS = 60_000;

/** Ids of connections that ended inside are remembered, so that they are not taken for strangers; this many. */
const MOST_LATE = 10_000;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** What a stage needs of its chain. */
export interface StageSetup {
  /** Its kind, and where it stands in the file: `com.example.x routers[0].operators[1]`. */
  readonly name: string;
  /** Makes the operator; may throw. */
  readonly make: () => Operator;
  readonly timers: Timers;
  /** Calls back if the client goes away while the envelope is held. */
  readonly watch: (id: number, departed: (detail: string) => void) => void;
  /** The operator has changed an envelope. */
  readonly revised: (envelope: Envelope) => void;
  readonly refuse: (id: number, reason: CloseReason, detail: string) => void;
  /** What an operator gives later than at once comes through here, so that ends of connections wait their turn. */
  readonly inTurn: (task: () => void) => void;
  readonly tell: (event: OperatorEvent) => void;
}

interface Held {
  readonly envelope: Envelope;
  readonly timer: Timer;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Owns no socket: an envelope that it holds stays in the client table. Bounds: the servers’ admission. */
export class Stage {
  readonly #setup: StageSetup;
  /** Where envelopes go on; the chain sets it. */
  next: (envelope: Envelope) => void = () => undefined;
  /** Absent while it is broken. */
  #in: Inlet<Envelope> | undefined;
  #running: Subscription | undefined;
  /** The one that is being given to the operator. */
  #inHand: Envelope | undefined;
  readonly #held = new Table<number, Held>();
  readonly #late = new Set<number>();
  #pauseMs = FIRST_PAUSE_MS;
  #since = 0;
  #restart: Timer | undefined;
  /** Set from the moment on that no more comes in. */
  #left: (() => void) | undefined;

  constructor(setup: StageSetup) {
    this.#setup = setup;
    this.#start();
  }

  take(envelope: Envelope): void {
    const { refuse, name } = this.#setup;
    if (this.#in === undefined) {
      refuse(envelope.id, 'operator-failed', `${name} is about to begin anew`);
      return;
    }
    this.#inHand = envelope;
    this.#in.next(envelope);
    // One that came back at once, as most do, costs no more than this.
    if (this.#inHand !== envelope) return;
    this.#inHand = undefined;
    this.#hold(envelope);
  }

  /** No more comes in: `left` is called when it holds nothing. */
  leave(left: () => void): void {
    this.#left = left;
    this.#restart?.drop();
    this.#in?.complete();
    this.#settle();
  }

  /** Ends at once; what it held is the caller’s business. */
  drop(): void {
    this.#left = () => undefined;
    this.#restart?.drop();
    this.#tellKept(this.#held.size);
    for (const { timer } of this.#held.values()) timer.drop();
    this.#held.clear();
    this.#running?.unsubscribe();
  }

  #settle(): void {
    const left = this.#left;
    if (left === undefined || this.#held.size > 0) return;
    this.drop();
    left();
  }

  #start(): void {
    const { make, timers } = this.#setup;
    const inlet = new Inlet<Envelope>();
    this.#in = inlet;
    this.#since = timers.now();
    const out$: Observable<Envelope | Refusal> = defer(() => make()(inlet.values$));
    this.#running = out$.subscribe({
      next: (given) => this.#give(given),
      error: (error) => this.#break(textOf(error)),
      complete: () => this.#break('it completed'),
    });
  }

  #give(given: Envelope | Refusal): void {
    // As it came, and at once: what most operators do with most envelopes.
    if (given === this.#inHand) {
      this.#inHand = undefined;
      this.next(given);
      return;
    }
    const id = idOf(given);
    const isAtOnce = id !== undefined && this.#inHand?.id === id;
    const original = id === undefined ? undefined : this.#release(id);
    if (original === undefined) this.#stray(id);
    else if (isAtOnce) this.#send(original, given);
    else
      this.#setup.inTurn(() => {
        this.#send(original, given);
        this.#settle();
      });
  }

  #send(original: Envelope, given: Envelope | Refusal): void {
    const { refuse, name } = this.#setup;
    if (isRefusal(given)) {
      refuse(original.id, 'operator', `${name}: ${given.why}`);
      return;
    }
    const revised = revise(original, given);
    if (typeof revised === 'string') {
      refuse(original.id, 'operator-failed', `${name} ${revised}`);
      return;
    }
    if (revised !== original) this.#setup.revised(revised);
    this.next(revised);
  }

  /** The envelope as it came, no longer held; `undefined`: it is not here. */
  #release(id: number): Envelope | undefined {
    if (this.#inHand?.id === id) {
      const envelope = this.#inHand;
      this.#inHand = undefined;
      return envelope;
    }
    const held = this.#held.take(id);
    held?.timer.drop();
    return held?.envelope;
  }

  #hold(envelope: Envelope): void {
    const { timers, watch, name } = this.#setup;
    const { id, deadline } = envelope;
    const ms = deadline < Number.POSITIVE_INFINITY ? deadline - timers.now() : LONGEST_HOLD_MS;
    const timer = timers.after(ms, () => this.#lose(id, 'operator-timeout', name));
    this.#held.set(id, { envelope, timer });
    watch(id, (detail) => this.#lose(id, 'departed', detail));
  }

  #lose(id: number, reason: CloseReason, detail: string): void {
    if (this.#release(id) === undefined) return;
    if (this.#late.size >= MOST_LATE) this.#late.clear();
    this.#late.add(id);
    this.#setup.inTurn(() => this.#setup.refuse(id, reason, detail));
    this.#settle();
  }

  #stray(id: number | undefined): void {
    if (id !== undefined && this.#late.delete(id)) return;
    const { tell, name } = this.#setup;
    tell({ t: 'strayed', name });
  }

  /** It will give back none of them. */
  #tellKept(count: number): void {
    const { tell, name } = this.#setup;
    if (count > 0) tell({ t: 'kept', name, count });
  }

  #break(error: string): void {
    const { timers, tell, name } = this.#setup;
    this.#in = undefined;
    this.#running = undefined;
    const envelope = this.#inHand;
    this.#inHand = undefined;
    const ids = [...(envelope === undefined ? [] : [envelope.id]), ...this.#held.keys()];
    const refuseAll = (): void => {
      for (const id of ids) {
        this.#release(id);
        this.#setup.refuse(id, 'operator-failed', `${name}: ${error}`);
      }
    };
    this.#setup.inTurn(refuseAll);
    if (this.#left !== undefined) {
      this.#tellKept(ids.length);
      this.#settle();
      return;
    }
    if (timers.now() - this.#since >= LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    tell({ t: 'broke', name, error, pauseMs: this.#pauseMs });
    this.#restart = timers.after(this.#pauseMs, () => this.#start());
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }
}
