/** What an operator is: a function from a router’s envelopes to envelopes, in plain RxJS. */
import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { CloseReason } from '../close-reason.ts';
import type { Envelope } from '../envelope.ts';
import type { Log } from '../log.ts';

/** Turns a connection away; it leaves the chain at once, and no later operator sees it. */
export interface Refusal {
  readonly t: 'refused';
  /** The envelope’s. */
  readonly id: number;
  /** Stands in the log behind the reason: `100 a second of 10.0.0.1`. */
  readonly why: string;
}

/** Makes the refusal of an envelope. */
export const refuse = ({ id }: Envelope, why: string): Refusal => ({ t: 'refused', id, why });

/** Whether what an operator gave turns a connection away. */
export const isRefusal = (given: Envelope | Refusal): given is Refusal =>
  't' in given && given.t === 'refused';

/**
 * Sees each envelope of a router before it is bound, and lets it go on, changed or unchanged, now or later, or refuses
 * it. Of what it changes `dst`, `deadline` and `notes` count. It must give back each envelope once: one that it gives
 * twice, or was never given, is dropped; one that it keeps ends at its deadline, or after 60 s where it has none. If it
 * errors or completes, what it held is refused and it begins anew, after a delay that grows.
 */
export type Operator = OperatorFunction<Envelope, Envelope | Refusal>;

/** A connection of the router that has ended: refused or finished, wherever it was. */
export interface Ended {
  readonly id: number;
  readonly reason: CloseReason;
}

/** What an operator may use of the world. Time, timers and chance must come from here, or it cannot be simulated. */
export interface OperatorEnv {
  /** Label of the router. */
  readonly rt: string;
  /** For timers: `delay(5, env.scheduler)`. */
  readonly scheduler: SchedulerLike;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Each connection of the router once, at its end; those that other operators refused as well. */
  readonly ended$: Observable<Ended>;
}

/** Makes an operator from its options: called at the start, and again when it has broken. */
export type MakeOperator<O> = (options: O, env: OperatorEnv) => Operator;
