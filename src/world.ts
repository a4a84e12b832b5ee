/** The real world: the only clock, chance, standard error and date of the program. */
import { write } from 'node:fs';
import { asyncScheduler } from 'rxjs';
import type { LogConfig } from './config/config.ts';
import type { Env } from './env.ts';
import { makeLogWriter } from './log-writer.ts';

/** What `main` hands to the daemon. */
export interface World {
  readonly env: Env;
  /** Sets level and format of the log from here on. */
  readonly configure: (log: LogConfig) => void;
  readonly logDropped: () => number;
  /** Lets the event loop turn once: for work that is done in slices. */
  readonly turn: () => Promise<void>;
  /** Resolves when the log is out, for the moment before the exit; a reader that stalls is given up. */
  readonly flush: () => Promise<void>;
}

const STDERR = 2;

/** Lines of so many ms are written together: each write wakes another thread, which costs more than the lines. */
const TOGETHER_MS = 100;

/** A pipe that is full is tried again after so long, in ms. */
const FULL_PIPE_MS = 10;

/** How long the exit waits for a reader of the log. */
const LAST_WORDS_MS = 500;

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Writes all of it, asynchronously: a synchronous write to a full pipe would stop the proxy. Lost if stderr is gone. */
const writeAll = (bytes: Buffer, done: () => void): void => {
  write(STDERR, bytes, (error, written) => {
    const rest = bytes.subarray(error === null ? written : 0);
    if (codeOf(error) === 'EAGAIN') setTimeout(writeAll, FULL_PIPE_MS, rest, done);
    else if (error !== null || rest.length === 0) done();
    else writeAll(rest, done);
  });
};

/** The global of this name is a getter, which costs as much as the clock. */
const clock = performance;

/** Makes the world; one per process. `worker`: which one it is, for its log. */
export const makeWorld = (worker?: number): World => {
  let config: LogConfig = { level: 'info', format: 'text' };
  const writer = makeLogWriter({
    write: writeAll,
    soon: (task) => setTimeout(task, TOGETHER_MS),
    now: Date.now,
    showTime: (time) => new Date(time).toISOString(),
    level: () => config.level,
    format: () => config.format,
    ...(worker === undefined ? {} : { worker }),
  });
  return {
    env: {
      scheduler: {
        now: () => clock.now(),
        schedule: asyncScheduler.schedule.bind(asyncScheduler),
      },
      wallNow: Date.now,
      random: Math.random,
      log: writer.log,
    },
    configure: (log) => {
      config = log;
    },
    logDropped: writer.dropped,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    flush: async () => {
      const givenUpAt = performance.now() + LAST_WORDS_MS;
      while (!writer.isIdle() && performance.now() < givenUpAt) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  };
};
