/** Who may ask: a web page in an operator’s browser must not read or stop the proxy. Pure. */
import { canonicalIp } from '../ip.ts';

/** What of a request decides. */
export interface Asking {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Without the port: `[::1]:9989` → `::1`. */
const hostName = (host: string): string => {
  const [, bracketed] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return bracketed ?? host.replace(/:\d*$/, '');
};

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** Why a request is forbidden; `undefined`: it is not. `hosts` are the names that the configuration allows. */
export const forbidden = (
  { method, host, origin }: Asking,
  hosts: readonly string[],
): string | undefined => {
  if (!isReading(method) && origin !== undefined)
    return 'expected no Origin header: requests that change something are not taken from web pages';
  if (host === undefined) return undefined;
  const name = hostName(host).toLowerCase();
  const isKnown =
    name === 'localhost' ||
    canonicalIp(name) !== undefined ||
    hosts.some((known) => known.toLowerCase() === name);
  return isKnown
    ? undefined
    : `expected an IP address or localhost as Host, got ${JSON.stringify(name)}; to allow it add it to admin.hosts`;
};
