/** The system’s own table of descriptors, as it tells of it. Works on Linux. */
import { readFileSync } from 'node:fs';
import { FIRST_SIZE, tableSize } from '../../src/server/descriptor-table.ts';
import { connectionDescriptors } from '../../src/server/fd-limit.ts';

/** There is none to be seen, or a process may not have so many descriptors: tests of it are skipped. */
export const isTableFixed =
  process.platform !== 'linux' || connectionDescriptors() < 2 * FIRST_SIZE;

/** For how many descriptors the table of a process has room; 0: the system does not tell. */
export const tableOf = (pid: number | 'self'): number =>
  tableSize(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? 0;
