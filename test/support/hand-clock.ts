/** A clock that a test moves by hand, while its sockets are real. */
import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';

export interface HandClock {
  readonly scheduler: SchedulerLike;
  /** Runs what falls due within `ms`, in order, and stands at their end. */
  readonly advance: (ms: number) => void;
  /** How many tasks wait for their time. */
  readonly waiting: () => number;
}

/** Makes a clock that stands at 0. */
export const makeHandClock = (): HandClock => {
  const scheduler = new VirtualTimeScheduler();
  return {
    scheduler,
    advance: (ms) => {
      const until = scheduler.now() + ms;
      scheduler.maxFrames = until;
      scheduler.flush();
      scheduler.frame = until;
    },
    waiting: () => scheduler.actions.length,
  };
};
