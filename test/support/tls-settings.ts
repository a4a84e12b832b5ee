/** Settings of TLS for tests: what a test cares for it sets. */
import { left, right } from 'fp-ts/lib/Either.js';
import type { Files } from '../../src/config/build.ts';
import type { ClientTlsPolicy, ServerTlsConfig } from '../../src/config/config.ts';
import { NO_PLUGINS } from '../../src/config/plugins.ts';

const VERSIONS = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

/** What tickets of all servers of a test are sealed with. */
export const TICKET_KEYS = Buffer.alloc(48, 7);

/** TLS from clients. */
export const serverTls = (settings: Partial<ServerTlsConfig> = {}): ServerTlsConfig => ({
  ...VERSIONS,
  alpnProtocols: [],
  handshakeTimeoutMs: 10_000,
  identities: new Map(),
  strictSni: false,
  clientAuth: { mode: 'none', trustCerts: [], crls: [] },
  sessionTimeoutSecs: 300,
  ticketKeys: TICKET_KEYS,
  ...settings,
});

/** TLS to endpoints. */
export const clientTls = (settings: Partial<ClientTlsPolicy> = {}): ClientTlsPolicy => ({
  ...VERSIONS,
  disableValidation: false,
  alpnProtocols: [],
  ...settings,
});

/** Files of which every one is good. */
export const FILES: Files = {
  read: () => right('PEM'),
  checkIdentity: () => right(undefined),
  checkRoots: () => right(undefined),
  plugins: () => NO_PLUGINS,
  checkCrl: () => right(undefined),
  resolve: (path) => path,
  beside: (_file, path) => path,
  folder: (path) =>
    path === 'nosuch' ? left(`expected a folder, got ${path}: no such file`) : right(path),
  checkVersions: () => right(undefined),
  ticketKeys: TICKET_KEYS,
};
