/** TLS towards endpoints: who we say we want, and whom we believe. */
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { ClientTlsPolicy } from '../config/config.ts';
import { codeOf } from '../listen-error.ts';
import type { ClientTerms, SecureSocket } from '../socket/secure.ts';

/** Made once per policy: reading roots costs more than a handshake. */
const known = new WeakMap<ClientTlsPolicy, ClientTerms>();

const makeTerms = ({ dnsName, trustCerts }: ClientTlsPolicy): ClientTerms => ({
  side: 'client',
  context: createSecureContext(trustCerts === undefined ? {} : { ca: [...trustCerts] }),
  // An IP address is no server name.
  ...(isIP(dnsName) === 0 ? { serverName: dnsName } : {}),
});

/** How a handshake with an endpoint begins. Errors: throws where the policy makes none. */
export const termsOf = (policy: ClientTlsPolicy): ClientTerms => {
  const terms = known.get(policy) ?? makeTerms(policy);
  known.set(policy, terms);
  return terms;
};

/**
 * Why an endpoint is not to be believed; `undefined`: it is. Its certificate must be trusted and name `dnsName`;
 * a common name is no proof, as ever since RFC 2818: only its subject alternative names are.
 */
export const doubtOf = (socket: SecureSocket, { dnsName }: ClientTlsPolicy): string | undefined => {
  const { distrust } = socket;
  if (distrust !== undefined) return distrust;
  const cert = socket.peerCertificate();
  if (cert === undefined) return 'no certificate';
  const names = { subject: { CN: '' }, subjectaltname: cert.subjectAltName };
  const error = checkServerIdentity(dnsName, names as Parameters<typeof checkServerIdentity>[1]);
  return error === undefined ? undefined : codeOf(error);
};
