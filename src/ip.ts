/** IP addresses in one canonical text each. Pure. */

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const V4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const V6 = /^([0-9a-f:.]*:[0-9a-f:.]*)(%[0-9a-z._~-]+)?$/i;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** RFC 5952, which is how URLs write IPv6. */
const compress = (ip: string): string | undefined =>
  URL.canParse(`http://[${ip}]/`) ? new URL(`http://[${ip}]/`).hostname.slice(1, -1) : undefined;

/** `::ffff:7f00:1` is the IPv4 address 127.0.0.1: dialing either is the same. */
const unmap = (ip: string): string => {
  const [, high, low] = MAPPED.exec(ip) ?? [];
  if (high === undefined || low === undefined) return ip;
  const bits = Number.parseInt(high, 16) * 2 ** 16 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
};

/**
 * Gives the canonical text of an IP address: IPv6 as RFC 5952 says, and as IPv4 where it only wraps one.
 * A zone (`%eth0`) is kept for link-local addresses, which mean nothing without it, and dropped for others,
 * where namerd's host has merely noted its own interface. `undefined`: this is no IP address.
 */
export const canonicalIp = (text: string): string | undefined => {
  if (V4.test(text)) return text;
  const [, bare, zone = ''] = V6.exec(text) ?? [];
  const ip = bare === undefined ? undefined : compress(bare);
  if (ip === undefined) return undefined;
  return LINK_LOCAL.test(ip) ? `${ip}${zone}` : unmap(ip);
};

const ABRIDGED = /^\d{1,10}(?:\.\d{1,10}){0,3}$/;
const BYTE = 256;

/** The last part stands for all bytes that are not written: `127.1` is 127.0.0.1. */
const expand = (text: string): string | undefined => {
  if (!ABRIDGED.test(text) || !text.includes('.')) return undefined;
  const parts = text.split('.').map(Number);
  const last = parts.pop() ?? 0;
  const missing = 4 - parts.length;
  if (parts.some((part) => part >= BYTE) || last >= BYTE ** missing) return undefined;
  const rest = Array.from(
    { length: missing },
    (_, i) => Math.floor(last / BYTE ** (missing - 1 - i)) % BYTE,
  );
  return [...parts, ...rest].join('.');
};

/**
 * The IP address that a host is written as, in namers’ files and names: also in brackets, or abridged as `127.1`.
 * `undefined`: it is a name, or nothing of the kind. Source: linkerd 1.x, which reads hosts as Java does.
 */
export const hostIp = (text: string): string | undefined => {
  const isBracketed = text.startsWith('[') && text.endsWith(']');
  return canonicalIp(isBracketed ? text.slice(1, -1) : text) ?? expand(text);
};
