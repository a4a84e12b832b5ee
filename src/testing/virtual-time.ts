/** Virtual time for many timers: a clock that goes from one event to the next. */
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { type Due, DueQueue } from '../heap.ts';

/** A task that was set; one without `run` has been taken back. */
interface Task {
  run: (() => void) | undefined;
}

/** All that is due at one time, in the order in which it was set. */
interface Moment extends Due {
  readonly tasks: Task[];
}

type Work<T> = (this: SchedulerAction<T>, state?: T) => void;

/** One action of a scheduler: `schedule` sets it anew, `unsubscribe` takes it back. */
class Action<T> extends Subscription implements SchedulerAction<T> {
  readonly #time: VirtualTime;
  readonly #work: Work<T>;
  #task: Task | undefined;

  constructor(time: VirtualTime, work: Work<T>) {
    super(() => this.#drop());
    this.#time = time;
    this.#work = work;
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this;
    this.#drop();
    this.#task = this.#time.set(Math.max(0, delay), () => {
      this.#task = undefined;
      this.#work.call(this, state);
      // One that its own work has set anew lives on.
      if (this.#task === undefined) this.unsubscribe();
    });
    return this;
  }

  #drop(): void {
    if (this.#task !== undefined) this.#task.run = undefined;
    this.#task = undefined;
  }
}

/**
 * A scheduler whose clock stands still while something runs. Tasks of one time run in the order in which they were set,
 * as with RxJS’s TestScheduler, which sorts all that are pending for each one that is set; here that is O(log times).
 */
export class VirtualTime implements SchedulerLike {
  readonly #queue = new DueQueue<Moment>();
  readonly #moments = new Map<number, Moment>();
  #now = 0;
  /** Tasks that have run. */
  ran = 0;

  readonly now = (): number => this.#now;

  /** Sets a task, `delay` ms from now. */
  set(delay: number, run: () => void): Task {
    const at = this.#now + delay;
    const task: Task = { run };
    const known = this.#moments.get(at);
    if (known !== undefined) known.tasks.push(task);
    else {
      const moment: Moment = { due: at, slot: -1, tasks: [task] };
      this.#moments.set(at, moment);
      this.#queue.put(moment, at);
    }
    return task;
  }

  schedule<T>(work: Work<T>, delay?: number, state?: T): Subscription {
    return new Action(this, work).schedule(state, delay);
  }

  /** Runs what is due up to a time, that included, and stands there then. Errors: those of the tasks. */
  flush(until: number): void {
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (next.due > until) break;
      this.#now = next.due;
      this.#run(next);
      this.#queue.remove(next);
      this.#moments.delete(next.due);
    }
    if (until < Number.POSITIVE_INFINITY) this.#now = until;
  }

  /** What tasks set for the same time runs as well. */
  #run({ tasks }: Moment): void {
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[i];
      const run = task?.run;
      if (task === undefined || run === undefined) continue;
      task.run = undefined;
      this.ran += 1;
      run();
    }
  }
}
