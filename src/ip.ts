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
