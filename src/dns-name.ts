/** Names of hosts as they come from the network. Pure. */

const LABELS =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const LONGEST = 253;
/** A last label of digits makes it an address, or something that resolvers take for one. */
const ADDRESS = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Gives a valid DNS name lower-cased and without a dot at its end; `undefined`: it is none, an IP address for one.
 * Source: RFC 1123 §2.1, with underscores as they are in use; RFC 6066 §3: an address is no server name.
 */
export const dnsName = (text: string): string | undefined => {
  const name = text.toLowerCase().replace(/\.$/, '');
  return name.length <= LONGEST && LABELS.test(name) && !ADDRESS.test(name) ? name : undefined;
};
