/** DNS names in one canonical text each. Pure. */

/** Characters of a name in text, without the dot at its end (RFC 1035 section 2.3.4). */
const LONGEST = 253;

/** Letters, digits and hyphens (RFC 5890 section 2.3.1), and the underscore, which services use (RFC 2782). */
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** What ends so may be read as an IPv4 address, whole or abridged; no top-level name does (RFC 1123 section 2.1). */
const NUMERIC_END = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)$/;

/**
 * Gives the canonical text of a DNS name: lower case, without a dot at the end. It may have a single label.
 * `undefined`: this is no DNS name, or it is an IP address.
 */
export const dnsName = (text: string): string | undefined => {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const isName = name.length <= LONGEST && NAME.test(name) && !NUMERIC_END.test(name);
  return isName ? name.toLowerCase() : undefined;
};
