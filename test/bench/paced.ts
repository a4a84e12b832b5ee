/** Small messages at a fixed rate, and how long each took from when it was due. */
import type { Line } from './lines.ts';
import type { Outcome, Paced } from './task.ts';

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** A run of messages. The loop never sleeps, so that no message is late because a timer was. */
class Pace {
  readonly took: Float64Array;
  readonly #task: Paced;
  readonly #idle: Line[];
  readonly #from = performance.now();
  readonly #over: (error?: Error) => void;
  #begun = 0;
  #done = 0;

  constructor(task: Paced, lines: readonly Line[], over: (error?: Error) => void) {
    this.#task = task;
    this.#idle = [...lines];
    this.#over = over;
    this.took = new Float64Array(task.count);
    for (const line of lines) line.ended = () => over(new Error('ended early'));
    this.#look();
  }

  /** Says what is due. A message that finds every line busy waits, and its wait counts. */
  readonly #look = (): void => {
    const gap = 1000 / this.#task.perSecond;
    const passed = performance.now() - this.#from;
    while (this.#begun < this.#task.count && this.#begun * gap <= passed) {
      const line = this.#idle.shift();
      if (line === undefined) break;
      this.#say(line, this.#from + this.#begun * gap);
      this.#begun += 1;
    }
    if (this.#begun < this.#task.count) setImmediate(this.#look);
  };

  #say(line: Line, due: number): void {
    line.echoed = () => {
      this.took[this.#done++] = performance.now() - due;
      this.#idle.push(line);
      if (this.#done === this.#task.count) this.#over();
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
