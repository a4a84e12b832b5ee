/** Who a sentence is about: `*`, `*.example.com`, `10.0.0.1`, `10.0.0.0/8`. */
import { parseAddress } from '../address.ts';
import { makeIpList } from '../server/ip-list.ts';
import { compilePatterns } from '../server/pattern.ts';
import type { Connection } from './journal.ts';

const NETWORK = /^[\d.]+(?:\/\d+)?$|:/;

/** Whether a connection is one of them: by its server name, or by its address. */
export const isWho = (who: string): ((connection: Connection) => boolean) => {
  if (who === '*') return () => true;
  if (NETWORK.test(who)) {
    const isIn = makeIpList([who]);
    return ({ src }) => isIn(parseAddress(src)?.ip ?? src);
  }
  const match = compilePatterns([who.toLowerCase()], '.');
  return ({ sni }) => sni !== undefined && match(sni) !== undefined;
};
