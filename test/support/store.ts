/** What tests of stored dtabs share. */
import { asyncScheduler } from 'rxjs';
import type { Env } from '../../src/env.ts';

/** A world in real time; log lines are added to `logged`. */
export const makeEnv = (logged: string[] = []): Env => ({
  scheduler: asyncScheduler,
  wallNow: () => Date.now(),
  random: () => 0.5,
  log: (level, message, fields = {}) => {
    const own = typeof fields === 'function' ? fields() : fields;
    logged.push([level, message, ...Object.values(own)].join(' '));
  },
});
