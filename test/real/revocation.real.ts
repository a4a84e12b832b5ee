/** Lists of revoked certificates as openssl makes them: who is refused by them, and that no session gets around them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import type { ClientAuthConfig, Identity } from '../../src/config/config.ts';
import { makeCert } from '../support/certs.ts';
import { Authority } from '../support/openssl.ts';
import { makeScope, temporaryFolder } from '../support/process.ts';
import type { Certificate } from '../support/servers.ts';
import { onBoth } from '../support/sockets.ts';
import { approach, only, outcome, retune, startTls } from '../support/tls-clients.ts';

const scope = makeScope({ after });
let server: Identity;
let web: Identity;
let revoked: Identity;
let foreign: Identity;
let roots: readonly string[];
let crl: string;
let expired: string;
let foreignCrl: string;

const read = (path: string): Promise<string> => readFile(path, 'utf8');

const identityOf = async ({ cert, key }: Certificate): Promise<Identity> => ({
  certs: await read(cert),
  privateKey: await read(key),
});

before(async () => {
  const folder = await temporaryFolder(scope);
  const authority = await Authority.make(folder, 'authority');
  const other = await Authority.make(folder, 'other');
  roots = [await read(authority.cert), await read(other.cert)];
  const bad = await authority.issue('bad', 'DNS:bad.example');
  server = await makeCert('server.example');
  web = await identityOf(await authority.issue('web', 'DNS:web.example'));
  revoked = await identityOf(bad);
  foreign = await identityOf(await other.issue('web', 'DNS:web.example'));
  crl = await read(await authority.revoke(bad));
  expired = await read(await authority.expiredList());
  foreignCrl = await read(await other.revoke());
});

const required = (...crls: readonly string[]): ClientAuthConfig => ({
  mode: 'required',
  trustCerts: roots,
  crls,
});

const CASES = [
  ['one that is not on it', () => web, () => [crl], 'full'],
  ['one that is', () => revoked, () => [crl], 'CERT_REVOKED'],
  ['one that is, of two lists', () => revoked, () => [foreignCrl, crl], 'CERT_REVOKED'],
  ['one of the other list', () => foreign, () => [foreignCrl, crl], 'full'],
  ['one whose authority gave no list', () => foreign, () => [crl], 'UNABLE_TO_GET_CRL'],
  ['one of a list that is too old', () => web, () => [expired], 'CRL_HAS_EXPIRED'],
] as const;

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const versions = only(version);

  for (const [what, identity, crls, wanted] of CASES)
    onBoth(`a client shows ${what}: ${wanted} (${version})`, async (t, { sockets }) => {
      const own = makeScope(t);
      const settings = { defaultIdentity: server, clientAuth: required(...crls()), ...versions };
      const serving = await startTls({ scope: own, sockets }, settings);
      approach(own, serving, { identity: identity(), ...versions });
      assert.equal(await outcome(serving, 0), wanted);
    });

  for (const [what, identity, wanted] of [
    ['revoked meanwhile', () => revoked, 'CERT_REVOKED'],
    ['still good', () => web, 'full'],
  ] as const)
    onBoth(
      `a list ends the session of one that is ${what} (${version})`,
      async (t, { sockets }) => {
        const own = makeScope(t);
        const base = { defaultIdentity: server, ...versions };
        const serving = await startTls(
          { scope: own, sockets },
          { ...base, clientAuth: required() },
        );
        const options = { identity: identity(), ...versions };
        const session = await approach(own, serving, options).session();
        assert.equal(await outcome(serving, 0), 'full');
        retune(serving, { ...base, clientAuth: required(crl, foreignCrl) });
        approach(own, serving, { ...options, session });
        assert.equal(await outcome(serving, 1), wanted);
      },
    );
}
