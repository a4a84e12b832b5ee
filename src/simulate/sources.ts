/** Addresses of clients: one, or any of a network. */
import { makeAddress } from '../address.ts';

const BITS = 32;
const FIRST_PORT = 10_000;
const PORTS = 50_000;

const numberOf = (ip: string): number =>
  ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const textOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** Gives an address and port for each client: of `10.0.0.0/8` any in it, by chance; of IPv6 networks their first one. */
export const sourcesOf = (source: string, random: () => number): (() => string) => {
  const [ip = '', length] = source.split('/');
  let port = 0;
  const next = (): number => FIRST_PORT + (port++ % PORTS);
  if (length === undefined || ip.includes(':')) return () => makeAddress(ip, next()).text;
  const size = 2 ** (BITS - Number(length));
  const first = Math.floor(numberOf(ip) / size) * size;
  return () => makeAddress(textOf(first + Math.floor(random() * size)), next()).text;
};
