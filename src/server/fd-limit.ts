/** What the system tells of the process, and Node does not: how many file descriptors it may have. */
import { readFileSync } from 'node:fs';

/** Kept free for the admin server, look-ups, logs and what Node itself opens. */
const RESERVE = 64;

/** What connections may hold by a process’s table of limits: the soft limit less a reserve; `Infinity`: it does not say. */
export const connectionShare = (limits: string): number => {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(2, soft - RESERVE);
};

/** What the system tells of this process in `file`; nothing where there is none: only Linux has it. */
export const readOwn = (file: 'limits' | 'status'): string => {
  try {
    return readFileSync(`/proc/self/${file}`, 'utf8');
  } catch {
    return '';
  }
};

/** Descriptors that connections of this process may hold; `Infinity` where the system does not tell. */
export const connectionDescriptors = (): number => connectionShare(readOwn('limits'));
