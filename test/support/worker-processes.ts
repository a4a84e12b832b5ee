/** What the system tells of a daemon’s workers. Works on Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Daemon } from './daemon.ts';

/** The processes that a daemon has begun and that are still there. */
export const workersOf = ({ pid }: Pick<Daemon, 'pid'>): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(parent) === pid && state !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number);

/** What a descriptor of a process is; nothing when it is closed meanwhile. */
const targetOf = (pid: number, fd: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
};

/** Whether a process itself has the socket that listens on a port of 127.0.0.1. */
export const listensOn = (port: number, pid: number): boolean => {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, address, , state]) => address === local && state === '0A');
  const socket = `socket:[${listening?.[9]}]`;
  return readdirSync(`/proc/${pid}/fd`).some((fd) => targetOf(pid, fd) === socket);
};

/** The first CPU that this process may run on. */
export const someCpu = (): string => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? '0';
};
