/**
 * What the world provides: time, randomness and a place to write. Everything that needs one of them
 * takes an `Env` as its last argument, so that a test can hand in virtual time and scripted chance.
 */
import type { SchedulerLike } from 'rxjs';
import type { Log } from './log.ts';

/** The world as the router sees it. */
export interface Env {
  /** Monotonic time in ms (`now`), and timers. Never the wall clock. */
  readonly scheduler: SchedulerLike;
  /** The wall clock, in ms since 1970: for the dates of certificates, never for limits. */
  readonly wallNow: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}
