/** Why an address cannot be listened on, in one line that says what to do. Pure. */
import type { Address } from './address.ts';

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use: another process listens there; stop it, or change',
  EACCES:
    'permission denied: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); grant it, or change',
  EADDRNOTAVAIL: 'no such address on this machine; correct',
};

/** What the system calls an error; its message where it has no name. */
export const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message;

/** One clear line about a listener that could not be had; `key` is where its address is configured. */
export const listenError = (address: Address, error: Error, key: string): string =>
  `cannot listen on ${address.text}: ${HINTS[codeOf(error)] ?? `${codeOf(error)}; check`} ${key}`;
