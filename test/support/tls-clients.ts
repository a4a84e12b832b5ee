/** Clients that shake hands with a server in the process, and what it made of each. */
import { once } from 'node:events';
import tls from 'node:tls';
import type { ClientAuthConfig, Identity, ServerTlsConfig } from '../../src/config/config.ts';
import type { Sockets } from '../../src/socket/sockets.ts';
import { eventually, within } from './eventually.ts';
import type { Scope } from './process.ts';
import { type Serving, startServing } from './serving.ts';
import { serverTls } from './tls-settings.ts';

/** The word for a client that should have shown a certificate. */
export const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** Options that leave one version. */
export const only = (version: tls.SecureVersion) => ({ minVersion: version, maxVersion: version });

/** What becomes of a good session: sockets of Node do without those of TLS 1.2. */
export const goesOn = ({ kind }: Sockets, version: tls.SecureVersion): 'resumed' | 'full' =>
  kind === 'stream' && version === 'TLSv1.2' ? 'full' : 'resumed';

/** Asks clients for certificates that lead to these. */
export const auth = (
  mode: ClientAuthConfig['mode'],
  ...trusted: readonly Identity[]
): ClientAuthConfig => ({ mode, trustCerts: trusted.map(({ certs }) => certs), crls: [] });

/** A server that ends TLS. */
export const startTls = (
  { scope, sockets }: { readonly scope: Scope; readonly sockets: Sockets },
  settings: Partial<ServerTlsConfig>,
): Promise<Serving> => startServing(scope, { sockets, settings: { tls: serverTls(settings) } });

/** Gives a server other terms, as a reload does. */
export const retune = ({ config$ }: Serving, settings: Partial<ServerTlsConfig>): void =>
  config$.next({ ...config$.value, tls: serverTls(settings) });

/** How a client shakes hands. */
export interface Handshaking extends tls.ConnectionOptions {
  /** Shown when it is asked for. */
  readonly identity?: Identity;
}

/** A client on its way, and its last session, once the server has given one. */
export const approach = (
  scope: Scope,
  { port }: Pick<Serving, 'port'>,
  { identity, ...options }: Handshaking = {},
) => {
  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ...(identity && { cert: identity.certs, key: identity.privateKey }),
    ...options,
  });
  scope.after(() => {
    socket.destroy();
  });
  let session: Buffer | undefined;
  socket.on('session', (given) => {
    session = given;
  });
  socket.on('error', () => undefined).resume();
  return { socket, session: () => eventually('a session', () => session) };
};

/** The same, with its handshake done. Errors: rejects when that fails. */
export const connect = async (...how: Parameters<typeof approach>) => {
  const client = approach(...how);
  await within('a handshake', once(client.socket, 'secureConnect'));
  return client;
};

/** What the server made of its client with this index, which must be the last: `full`, `resumed`, or why it was refused. */
export const outcome = (serving: Serving, index: number): Promise<string> =>
  eventually('an outcome', () => {
    const [secured, rejected] = [serving.all('secured'), serving.all('rejected')];
    if (secured.length + rejected.length <= index) return undefined;
    const last = serving.events.findLast(({ t }) => t === 'secured' || t === 'rejected');
    if (last?.t === 'secured') return last.isResumed ? 'resumed' : 'full';
    return last?.t === 'rejected' ? (last.close.detail ?? '') : undefined;
  });
