/** How many file descriptors the process may have, which Node does not tell. */
import { readFileSync } from 'node:fs';

/** Kept free for the admin server, look-ups, logs and what Node itself opens. */
const RESERVE = 64;

/** What connections may hold by a process’s table of limits: the soft limit less a reserve; `Infinity`: it does not say. */
export const connectionShare = (limits: string): number => {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(2, soft - RESERVE);
};

/** Descriptors that connections of this process may hold; `Infinity` where the system does not tell. */
export const connectionDescriptors = (): number => {
  try {
    return connectionShare(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Only Linux has it.
    return Number.POSITIVE_INFINITY;
  }
};
