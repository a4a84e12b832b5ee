/** How many file descriptors the process may have, which Node does not tell. */
import { readFileSync } from 'node:fs';

/** Kept free for the admin server, look-ups, logs and what Node itself opens. */
const RESERVE = 64;

const softLimit = (): number => {
  try {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return Number(line?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
};

/** Descriptors that connections may hold: the soft limit less a reserve; `Infinity` where the system does not tell. */
export const connectionDescriptors = (): number => {
  const limit = softLimit();
  return Number.isFinite(limit) ? Math.max(2, limit - RESERVE) : Number.POSITIVE_INFINITY;
};
