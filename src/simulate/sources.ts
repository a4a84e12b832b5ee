/** Addresses of clients: one, or any of a network. */
import { makeAddress } from '../address.ts';
import { canonicalIp } from '../ip.ts';

const BITS = 32;
const FIRST_PORT = 10_000;
const PORTS = 50_000;

const numberOf = (ip: string): number =>
  ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const textOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

const GROUPS = 8;
const GROUP_BITS = 16;

/** The eight groups of an IPv6 address. */
const groupsOf = (ip: string): readonly number[] => {
  const [head = [], tail = []] = ip.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const gap = Array.from({ length: GROUPS - head.length - tail.length }, () => '0');
  return [...head, ...gap, ...tail].map((group) => Number.parseInt(group, 16));
};

/** Any address of an IPv6 network. */
const inV6 = (ip: string, length: number, random: () => number): string => {
  const groups = groupsOf(ip).map((group, i) => {
    const free = Math.min(GROUP_BITS, Math.max(0, (i + 1) * GROUP_BITS - length));
    const size = 2 ** free;
    return Math.floor(group / size) * size + Math.floor(random() * size);
  });
  const text = groups.map((group) => group.toString(16)).join(':');
  return canonicalIp(text) ?? text;
};

/** Gives an address and port for each client: of a network such as `10.0.0.0/8` any address in it, by chance. */
export const sourcesOf = (source: string, random: () => number): (() => string) => {
  const [ip = '', length] = source.split('/');
  let port = 0;
  const next = (): number => FIRST_PORT + (port++ % PORTS);
  if (length === undefined) return () => makeAddress(ip, next()).text;
  if (ip.includes(':')) return () => makeAddress(inV6(ip, Number(length), random), next()).text;
  const size = 2 ** (BITS - Number(length));
  const first = Math.floor(numberOf(ip) / size) * size;
  return () => makeAddress(textOf(first + Math.floor(random() * size)), next()).text;
};
