/** TLS towards endpoints: who we say we want, who we say we are, and whom we believe. */
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls';
import type { ClientTlsPolicy } from '../config/config.ts';
import { codeOf } from '../listen-error.ts';
import { alpnBytes, type ClientTerms, type SecureSocket } from '../socket/secure.ts';
import { Sessions } from './sessions.ts';

/** What is made once per policy: reading roots costs more than a handshake. */
interface Kept {
  readonly context: SecureContext;
  readonly alpn: Uint8Array | undefined;
  /** Of endpoints that were believed under this very policy. */
  readonly sessions: Sessions;
}

const kept = new WeakMap<ClientTlsPolicy, Kept>();

const make = (policy: ClientTlsPolicy): Kept => {
  const { trustCerts, clientAuth, minVersion, maxVersion, ciphers, alpnProtocols } = policy;
  return {
    context: createSecureContext({
      minVersion,
      maxVersion,
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(trustCerts === undefined ? {} : { ca: [...trustCerts] }),
      ...(clientAuth === undefined ? {} : { cert: clientAuth.certs, key: clientAuth.privateKey }),
    }),
    alpn: alpnProtocols.length === 0 ? undefined : alpnBytes(alpnProtocols),
    sessions: new Sessions(),
  };
};

const keptFor = (policy: ClientTlsPolicy): Kept => {
  const known = kept.get(policy) ?? make(policy);
  kept.set(policy, known);
  return known;
};

/** Whom a handshake is with. */
export interface Wanted {
  readonly policy: ClientTlsPolicy;
  /** Sent, and required in the certificate; `undefined` only where nothing is validated. */
  readonly serverName: string | undefined;
  /** The endpoint’s address, `ip:port`. */
  readonly endpoint: string;
}

/** A handshake to make. */
export interface Intent {
  readonly terms: ClientTerms;
  /** The endpoint is believed: its sessions may be resumed. */
  readonly believe: (isResumed: boolean) => void;
}

/** How a handshake with an endpoint begins; `now` as in `Sessions`. Errors: throws where the policy makes none. */
export const intend = ({ policy, serverName, endpoint }: Wanted, now: number): Intent => {
  const { context, alpn, sessions } = keptFor(policy);
  const { session, remember, believe } = sessions.begin(`${endpoint} ${serverName ?? ''}`, now);
  const terms: ClientTerms = {
    side: 'client',
    context,
    remember,
    ...(session === undefined ? {} : { session }),
    ...(alpn === undefined ? {} : { alpn }),
    // An IP address is no server name.
    ...(serverName === undefined || isIP(serverName) !== 0 ? {} : { serverName }),
  };
  return { terms, believe };
};

/**
 * Why an endpoint is not to be believed; `undefined`: it is. Its certificate must be trusted and have the name that is
 * wanted; a common name is no proof, as ever since RFC 2818: only its subject alternative names are. One that resumes
 * its session shows none: it was judged when that was made, for this endpoint and name and by this policy.
 */
export const doubtOf = (
  socket: SecureSocket,
  { policy, serverName }: Wanted,
): string | undefined => {
  if (policy.disableValidation || socket.isResumed) return undefined;
  const { distrust } = socket;
  if (distrust !== undefined) return distrust;
  const cert = socket.peerCertificate();
  if (cert === undefined || serverName === undefined) return 'no certificate';
  const names = { subject: { CN: '' }, subjectaltname: cert.subjectAltName };
  const error = checkServerIdentity(serverName, names as Parameters<typeof checkServerIdentity>[1]);
  return error === undefined ? undefined : codeOf(error);
};
