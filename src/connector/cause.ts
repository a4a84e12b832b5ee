/** Why a dial failed, from what the system says. Pure. */
import type { DialCause } from '../event.ts';

const CAUSES: ReadonlyMap<string | undefined, DialCause> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  // Our own trouble: it counts against no endpoint.
  ['EMFILE', 'local'],
  ['ENFILE', 'local'],
  ['EADDRNOTAVAIL', 'local'],
  ['ENOBUFS', 'local'],
  ['ENOMEM', 'local'],
]);

/** The system’s code for an error: `ECONNREFUSED`; `undefined`: it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** The cause of a failed dial, as metrics name it. */
export const causeOf = (code: string | undefined): DialCause => CAUSES.get(code) ?? 'other';

/** The same in the system’s words: its code, or its message where it has none. */
export const detailOf = (error: unknown): string =>
  codeOf(error) ?? (error instanceof Error ? error.message : String(error));
