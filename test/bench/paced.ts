/** Small messages at a fixed rate, and how long each took. */
import type { Line } from './lines.ts';
import type { Outcome, Paced } from './task.ts';

/** Between two looks at what is due, where the loop sleeps. */
const TICK_MS = 1;

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** A run of messages. A message that finds every line busy waits, and its wait counts; a late look at the clock does not. */
class Pace {
  readonly took: Float64Array;
  readonly #task: Paced;
  readonly #idle: Line[];
  readonly #from = performance.now();
  readonly #over: (error?: Error) => void;
  /** When each was seen to be due. */
  readonly #dueAt: Float64Array;
  #due = 0;
  #begun = 0;
  #done = 0;

  constructor(task: Paced, lines: readonly Line[], over: (error?: Error) => void) {
    this.#task = task;
    this.#idle = [...lines];
    this.#over = over;
    this.took = new Float64Array(task.count - task.ahead);
    this.#dueAt = new Float64Array(task.count);
    for (const line of lines) line.ended = () => over(new Error('ended early'));
    this.#look();
  }

  readonly #look = (): void => {
    const { count, perSecond, arrivals } = this.#task;
    const now = performance.now();
    const due = Math.min(count, Math.ceil(((now - this.#from) * perSecond) / 1000));
    this.#dueAt.fill(now, this.#due, due);
    this.#due = due;
    this.#sayDue();
    if (due === count) return;
    if (arrivals === 'ticks') setTimeout(this.#look, TICK_MS);
    else setImmediate(this.#look);
  };

  #sayDue(): void {
    while (this.#begun < this.#due) {
      const line = this.#idle.shift();
      if (line === undefined) return;
      this.#say(line, this.#begun++);
    }
  }

  #say(line: Line, index: number): void {
    const { ahead } = this.#task;
    line.echoed = () => {
      if (index >= ahead)
        this.took[index - ahead] = performance.now() - (this.#dueAt[index] ?? Number.NaN);
      this.#done += 1;
      this.#idle.push(line);
      if (this.#done === this.#task.count) this.#over();
      else this.#sayDue();
    };
    line.say();
  }
}

/** See `Paced`. */
export const pace = async (
  task: Paced,
  lines: readonly Line[],
): Promise<Omit<Outcome, 'seconds'>> => {
  const took = await new Promise<Float64Array>((resolve, reject) => {
    const run = new Pace(task, lines, (error) => (error ? reject(error) : resolve(run.took)));
  });
  took.sort();
  return { p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
};
