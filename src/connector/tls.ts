/** TLS towards endpoints: who we say we want, and whom we believe. */
import type { Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import type { ClientTlsPolicy } from '../config/config.ts';

/** Made once per policy: reading roots costs more than a handshake. */
const contexts = new WeakMap<ClientTlsPolicy, SecureContext>();

const contextOf = (policy: ClientTlsPolicy): SecureContext => {
  const known = contexts.get(policy);
  if (known !== undefined) return known;
  const { trustCerts } = policy;
  const made = tls.createSecureContext(trustCerts === undefined ? {} : { ca: [...trustCerts] });
  contexts.set(policy, made);
  return made;
};

/**
 * Begins a handshake on a connected socket. The certificate must be trusted and name `dnsName`; if not,
 * the socket fails with an error that says why. Half-open where the TCP socket is. Owns: the TCP socket, which
 * closes with it.
 */
export const secure = (socket: Socket, policy: ClientTlsPolicy): Socket =>
  tls.connect({
    socket,
    servername: policy.dnsName,
    secureContext: contextOf(policy),
  });
