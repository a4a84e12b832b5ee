/** What the machine and its processes tell about themselves, and the arithmetic on it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

const NS_PER_TICK = 1e7;

/** The first number of each thread’s schedstat is its time on a CPU, in ns; not every kernel keeps it. */
const scheduledNs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8'))
    .reduce((sum, text) => sum + Number(text.split(' ', 1)[0]), 0);

const tickedNs = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * NS_PER_TICK;
};

/** The processes that a process has begun and that are still there; none where the kernel does not tell. */
const childrenOf = (pid: number): readonly number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const ownNs = (pid: number): number => {
  try {
    return scheduledNs(pid);
  } catch {
    return tickedNs(pid);
  }
};

/** CPU time that a process and those that it has begun have used so far, user and system, all their threads, in ns. */
export const cpuNs = (pid: number): number =>
  [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownNs(one), 0);

/** Resident memory of a process. */
export const residentKiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** The middle value; `NaN` of none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
};

/** The output of a program in one line; `undefined` when it cannot be run. */
export const firstLine = (program: string, ...args: readonly string[]): string | undefined => {
  try {
    const output = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', program, ...args]);
    return String(output).split('\n', 1)[0]?.trim();
  } catch {
    return undefined;
  }
};

/** Where a run took place: date, machine and kernel. */
export const describeMachine = (): string => {
  const model = cpus()[0]?.model.trim() ?? 'an unknown CPU';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${model}, ${cpus().length} CPUs, ${gib} GiB, Linux ${release()}`;
};
