/** The world of a marble test: virtual time, scripted chance and a log that can be read back. */
import type { SchedulerLike } from 'rxjs';
import type { Env } from '../env.ts';

/** The chance of a marble test: one number for all draws, or a list that must suffice; 0.5 unless told. */
export interface MarbleOptions {
  readonly random?: number | readonly number[];
}

const scripted = (random: number | readonly number[]): (() => number) => {
  if (typeof random === 'number') return () => random;
  let drawn = 0;
  return () => {
    const value = random[drawn++];
    if (value === undefined)
      throw new Error(`the test scripts only ${random.length} random numbers`);
    return value;
  };
};

/** Makes an `Env` on a scheduler; each log line is added to `logged` as `level message key=value …`. */
export const virtualEnv = (
  scheduler: SchedulerLike,
  options: MarbleOptions,
  logged: string[],
): Env => ({
  scheduler,
  wallNow: () => scheduler.now(),
  random: scripted(options.random ?? 0.5),
  log: (level, message, fields = {}) => {
    const own = typeof fields === 'function' ? fields() : fields;
    const told = Object.entries(own).filter(([, value]) => value !== undefined);
    logged.push([level, message, ...told.map(([key, value]) => `${key}=${value}`)].join(' '));
  },
});
