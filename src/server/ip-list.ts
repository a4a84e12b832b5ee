/** Lists of addresses and networks. */
import { BlockList, isIPv6 } from 'node:net';

/** Whether an address is on the list; its canonical text. */
export type IpList = (ip: string) => boolean;

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (isIPv6(ip) ? 'ipv6' : 'ipv4');

/** So many answers are remembered: most clients come again, and the platform takes microseconds for one. */
const MOST_KNOWN = 1024;

/** Makes a list of addresses (`10.1.2.3`) and networks (`10.0.0.0/8`). */
export const makeIpList = (entries: readonly string[]): IpList => {
  const list = new BlockList();
  for (const entry of entries) {
    const [ip = '', length] = entry.split('/');
    if (length === undefined) list.addAddress(ip, familyOf(ip));
    else list.addSubnet(ip, Number(length), familyOf(ip));
  }
  const known = new Map<string, boolean>();
  return (ip) => {
    const before = known.get(ip);
    if (before !== undefined) return before;
    if (known.size >= MOST_KNOWN) known.clear();
    const answer = list.check(ip, familyOf(ip));
    known.set(ip, answer);
    return answer;
  };
};
