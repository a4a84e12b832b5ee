/** TLS towards endpoints: who we say we want, and whom we believe. */
import { isIP, type Socket } from 'node:net';
import tls, { type PeerCertificate, type SecureContext } from 'node:tls';
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

/** Node tells an error after the handshake, and leaves the socket open; its owner waits for a close. */
const fail = function (this: Socket, error: Error): void {
  this.destroy(error);
};

/** A certificate’s common name is no proof, as ever since RFC 2818: only its subject alternative names are. */
const identityCheck =
  (dnsName: string) =>
  (_host: string, cert: PeerCertificate): Error | undefined =>
    tls.checkServerIdentity(dnsName, { ...cert, subject: { ...cert.subject, CN: '' } });

/**
 * Begins a handshake on a connected socket. The certificate must be trusted and name `dnsName`; if not,
 * the socket fails with an error that says why. Half-open where the TCP socket is. It has an error listener for
 * good. Errors: throws if no handshake can be begun. Owns: the TCP socket, which closes with it.
 */
export const secure = (socket: Socket, policy: ClientTlsPolicy): Socket => {
  const { dnsName } = policy;
  const secured = tls.connect({
    socket,
    // An IP address is no server name.
    ...(isIP(dnsName) === 0 ? { servername: dnsName } : {}),
    secureContext: contextOf(policy),
    checkServerIdentity: identityCheck(dnsName),
  });
  return secured.on('error', fail);
};
