/** What a client’s certificate says of it. */
import type { X509Certificate } from 'node:crypto';
import { canonicalIp } from '../ip.ts';
import type { ClientCert } from '../source.ts';

/** One alternative name as Node writes it: what stands in quotes is a string of JSON, since it has a comma or worse. */
const ALTERNATIVE = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

const unquoted = (text: string): string => {
  if (!text.startsWith('"')) return text;
  const value: unknown = JSON.parse(text);
  return String(value);
};

/**
 * The alternative names by their kind. Pure.
 * Errors: one that cannot be read ends the list; what stands before it counts.
 */
export const alternativeNames = (text: string): ReadonlyMap<string, readonly string[]> => {
  const names = new Map<string, string[]>();
  ALTERNATIVE.lastIndex = 0;
  for (let match = ALTERNATIVE.exec(text); match !== null; match = ALTERNATIVE.exec(text)) {
    const [whole, kind = '', value = ''] = match;
    if (whole === '') break;
    names.set(kind, [...(names.get(kind) ?? []), unquoted(value)]);
  }
  return names;
};

/** A subject’s parts, which Node writes a line each. */
const partsOf = (subject: string): readonly string[] => subject.split('\n').filter(Boolean);

/** What is known by a certificate that was verified. */
export const clientCert = (cert: X509Certificate): ClientCert => {
  const names = alternativeNames(cert.subjectAltName ?? '');
  const parts = partsOf(cert.subject ?? '');
  const cn = parts.find((part) => part.startsWith('CN='))?.slice('CN='.length);
  const uris = names.get('URI') ?? [];
  const spiffe = uris.filter((uri) => uri.startsWith('spiffe://'));
  return {
    subject: parts.join(', '),
    ...(cn === undefined ? {} : { cn }),
    dns: (names.get('DNS') ?? []).map((name) => name.toLowerCase()),
    uris,
    ips: (names.get('IP Address') ?? []).map((ip) => canonicalIp(ip) ?? ip),
    ...(spiffe.length === 1 && spiffe[0] !== undefined ? { spiffe: spiffe[0] } : {}),
    fingerprint: cert.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
};
