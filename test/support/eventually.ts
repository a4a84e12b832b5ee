/** Waiting, never for ever: what takes this long has gone wrong, however slow the machine. */
import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 30_000;

/** Waits for a promise. Errors: rejects with `what` when that takes over half a minute. */
export const within = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  const over = new AbortController();
  const limit = pause(LIMIT_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited in vain: ${what}`);
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    over.abort();
  }
};

/**
 * Asks again and again until `look` gives something else than `undefined` or `false`, and returns that;
 * for what no event tells. Errors: rejects with `what` when it has not come within half a minute.
 */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> => {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await pause(10);
  }
};
