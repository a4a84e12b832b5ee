/** Lists of addresses and networks. */
import { BlockList, isIPv6 } from 'node:net';

/** Whether an address is on the list; its canonical text. */
export type IpList = (ip: string) => boolean;

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (isIPv6(ip) ? 'ipv6' : 'ipv4');

/** So many answers about IPv6 are remembered: most clients come again, and the platform takes microseconds for one. */
const MOST_KNOWN = 1024;

const DOT = 46;
const ZERO = 48;
const BITS = 32;

/** An IPv4 address as a number; `undefined`: it is none. Written out, since each connection is looked up. */
const numberOf = (ip: string): number | undefined => {
  let [number, part, parts] = [0, 0, 1];
  for (let i = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    if (code === DOT) {
      number = number * 256 + part;
      part = 0;
      parts += 1;
    } else if (code >= ZERO && code < ZERO + 10) part = part * 10 + code - ZERO;
    else return undefined;
  }
  return parts === 4 ? number * 256 + part : undefined;
};

/** The networks of one length. */
interface Networks {
  /** How many addresses each has. */
  readonly size: number;
  readonly firsts: Set<number>;
}

/** IPv4 networks by length. O(lengths). */
const makeV4List = (entries: readonly (readonly [ip: string, length: number])[]) => {
  const networks = new Map<number, Networks>();
  for (const [ip, length] of entries) {
    const known = networks.get(length) ?? { size: 2 ** (BITS - length), firsts: new Set() };
    known.firsts.add(Math.floor((numberOf(ip) ?? 0) / known.size));
    networks.set(length, known);
  }
  const all = [...networks.values()];
  return (address: number): boolean =>
    all.some(({ size, firsts }) => firsts.has(Math.floor(address / size)));
};

/** Makes a list of addresses (`10.1.2.3`) and networks (`10.0.0.0/8`). */
export const makeIpList = (entries: readonly string[]): IpList => {
  const list = new BlockList();
  const v6 = new BlockList();
  const v4: (readonly [ip: string, length: number])[] = [];
  for (const entry of entries) {
    const [ip = '', length] = entry.split('/');
    const family = familyOf(ip);
    if (family === 'ipv4') v4.push([ip, length === undefined ? BITS : Number(length)]);
    for (const one of family === 'ipv4' ? [list] : [list, v6])
      if (length === undefined) one.addAddress(ip, family);
      else one.addSubnet(ip, Number(length), family);
  }
  // IPv6 may name addresses of IPv4: some, as `::ffff:10.0.0.0/104`, or all, as `::/0`.
  const isMapping = entries.some((entry) => entry.startsWith('::')) || v6.check('0.0.0.0');
  const isV4On = makeV4List(v4);
  const known = new Map<string, boolean>();
  return (ip) => {
    const address = isMapping ? undefined : numberOf(ip);
    if (address !== undefined) return isV4On(address);
    const before = known.get(ip);
    if (before !== undefined) return before;
    if (known.size >= MOST_KNOWN) known.clear();
    const answer = list.check(ip, familyOf(ip));
    known.set(ip, answer);
    return answer;
  };
};
