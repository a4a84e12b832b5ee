/** Lists of addresses and networks. */
import { BlockList, isIPv6 } from 'node:net';

/** Whether an address is on the list; its canonical text. */
export type IpList = (ip: string) => boolean;

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (isIPv6(ip) ? 'ipv6' : 'ipv4');

/** Makes a list of addresses (`10.1.2.3`) and networks (`10.0.0.0/8`). */
export const makeIpList = (entries: readonly string[]): IpList => {
  const list = new BlockList();
  for (const entry of entries) {
    const [ip = '', length] = entry.split('/');
    if (length === undefined) list.addAddress(ip, familyOf(ip));
    else list.addSubnet(ip, Number(length), familyOf(ip));
  }
  return (ip) => list.check(ip, familyOf(ip));
};
