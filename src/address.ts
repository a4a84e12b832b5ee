/** Socket addresses in one canonical form, so that equal addresses are equal strings. Pure. */
import { canonicalIp } from './ip.ts';

/** An IP address with a port. `text` is its identity: `10.0.0.1:80`, `[2001:db8::1]:80`. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly text: string;
}

/** An endpoint of a name: `weight` is raw (finite, at least 0; 0 takes nothing new), never a fraction. */
export interface WeightedAddress {
  readonly address: Address;
  readonly weight: number;
}

/** The address of a canonical IP and a port. */
export const makeAddress = (ip: string, port: number): Address => ({
  ip,
  port,
  text: ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`,
});

const ADDRESS = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:]+)):(?<port>\d{1,5})$/;

/** Reads `10.0.0.1:80` or `[::1]:80`; `undefined`: it is no such thing, or the port is not 1-65535. */
export const parseAddress = (text: string): Address | undefined => {
  const { v4, v6, port = '' } = ADDRESS.exec(text)?.groups ?? {};
  const ip = canonicalIp(v6 ?? v4 ?? '');
  const number = Number(port);
  if (ip === undefined || number < 1 || number > 65_535) return undefined;
  return makeAddress(ip, number);
};

const MAPPED = '::ffff:';

/** An address as the system gives it, canonical but for IPv4 clients of an IPv6 listener: those are shown as IPv4. */
export const showPeer = (ip: string, port: number): string => {
  if (!ip.includes(':')) return `${ip}:${port}`;
  return ip.startsWith(MAPPED) && ip.includes('.')
    ? `${ip.slice(MAPPED.length)}:${port}`
    : `[${ip}]:${port}`;
};
