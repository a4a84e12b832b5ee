/** How handshakes with the clients of a server go: its certificates by name, and what it asks of clients. */
import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Identity, ServerTlsConfig } from '../config/config.ts';
import { alpnBytes, type ServerTerms } from '../socket/secure.ts';

/** OpenSSL takes so many characters. */
const CONTEXT_LENGTH = 32;

/**
 * What a session is good for: this server, and exactly what it asks of clients. A ticket of a server that asks for
 * less, or from before a revocation list or a root was changed, is none here.
 */
const sessionContext = (server: string, { clientAuth }: ServerTlsConfig): string => {
  const { mode, trustCerts, crls } = clientAuth;
  const policy = JSON.stringify([server, mode, trustCerts, crls]);
  return createHash('sha256').update(policy).digest('hex').slice(0, CONTEXT_LENGTH);
};

const commonOptions = (server: string, config: ServerTlsConfig): SecureContextOptions => {
  const { minVersion, maxVersion, ciphers, clientAuth, sessionTimeoutSecs, ticketKeys } = config;
  const { mode, trustCerts, crls } = clientAuth;
  // Whether a certificate was revoked meanwhile, a session cannot tell.
  const resumes = sessionTimeoutSecs > 0 && crls.length === 0;
  const noTickets = resumes ? 0 : constants.SSL_OP_NO_TICKET;
  return {
    minVersion,
    maxVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    honorCipherOrder: true,
    // A client that begins again, and again, has the server sign each time.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | noTickets,
    sessionIdContext: sessionContext(server, config),
    ticketKeys: Buffer.from(ticketKeys),
    ...(resumes ? { sessionTimeout: sessionTimeoutSecs } : {}),
    ...(mode === 'none' ? {} : { ca: [...trustCerts] }),
    ...(crls.length === 0 ? {} : { crl: [...crls] }),
  };
};

/** The context of a name: its own, or that of its first label’s wildcard. */
const chooser = <T>(contexts: ReadonlyMap<string, T>, otherwise: T | undefined) => {
  const find = (name: string): T | undefined =>
    contexts.get(name) ?? contexts.get(`*${name.slice(name.indexOf('.'))}`);
  return (asked: string | undefined): T | undefined =>
    (asked === undefined ? undefined : find(asked.toLowerCase().replace(/\.$/, ''))) ?? otherwise;
};

/** Makes the terms of one server, `server` being what tells it from all others. Errors: throws where a file is no good. */
export const makeTerms = (server: string, config: ServerTlsConfig): ServerTerms => {
  const { defaultIdentity, identities, alpnProtocols, strictSni, clientAuth } = config;
  const common = commonOptions(server, config);
  const optionsOf = ({ certs, privateKey }: Identity): SecureContextOptions => ({
    ...common,
    cert: certs,
    key: privateKey,
  });
  const contextOptions = defaultIdentity === undefined ? common : optionsOf(defaultIdentity);
  const context = createSecureContext(contextOptions);
  const contexts = new Map(
    [...identities].map(([name, one]) => [name, createSecureContext(optionsOf(one))] as const),
  );
  const isStrict = strictSni || defaultIdentity === undefined;
  return {
    side: 'server',
    context,
    contextOptions,
    clientAuth: clientAuth.mode,
    // Where there is no other identity, nobody is asked.
    ...(contexts.size > 0 || isStrict
      ? { choose: chooser(contexts, isStrict ? undefined : context) }
      : {}),
    ...(alpnProtocols.length === 0 ? {} : { alpn: alpnBytes(alpnProtocols) }),
  };
};
