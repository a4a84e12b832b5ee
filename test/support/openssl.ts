/** An authority of our own, by openssl: certificates for clients, and the list of those that were revoked. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, succeed } from './process.ts';
import type { Certificate } from './servers.ts';

const openssl = (...args: readonly string[]): Promise<string> =>
  succeed([findProgram('openssl'), ...args]);

/** Keys as openssl makes them, and how they stand in their file. */
export const KEYS = {
  'RSA, PKCS#8': ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA, PKCS#1': ['genrsa', '-traditional', '2048'],
  'EC, PKCS#8': ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'EC, SEC1': ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'],
  Ed25519: ['genpkey', '-algorithm', 'ED25519'],
} as const;

/** A certificate authority in a folder. */
export class Authority {
  readonly #folder: string;
  readonly #name: string;
  #made = 0;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async make(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    const { cert, key, config } = authority;
    await openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert],
    );
    const [database, number] = [authority.#path('index'), authority.#path('number')];
    await Promise.all([writeFile(database, ''), writeFile(number, '01\n')]);
    const own = { database, crlnumber: number, default_md: 'sha256', default_crl_days: 2 };
    const lines = Object.entries(own).map(([one, value]) => `${one} = ${value}`);
    await writeFile(config, ['[ca]', 'default_ca = own', '[own]', ...lines, ''].join('\n'));
    return authority;
  }

  get cert(): string {
    return this.#path('cert');
  }

  get key(): string {
    return this.#path('key');
  }

  get config(): string {
    return this.#path('config');
  }

  /** A certificate for a common name with these alternative names (`URI:…`, `DNS:…`). */
  async issue(
    commonName: string,
    alternatives: string,
    kind: keyof typeof KEYS = 'EC, PKCS#8',
  ): Promise<Certificate> {
    this.#made += 1;
    const stem = this.#path(`${this.#made}`);
    const made = { cert: `${stem}.pem`, key: `${stem}.key` };
    const [request, extensions] = [`${stem}.csr`, `${stem}.ext`];
    const [command, ...settings] = KEYS[kind];
    await openssl(command, '-out', made.key, ...settings);
    await openssl('req', '-new', '-key', made.key, '-subj', `/CN=${commonName}`, '-out', request);
    await writeFile(extensions, `subjectAltName=${alternatives}\n`);
    await openssl(
      ...['x509', '-req', '-in', request, '-CA', this.cert, '-CAkey', this.key, '-days', '2'],
      ...['-set_serial', `${1000 + this.#made}`, '-extfile', extensions, '-out', made.cert],
    );
    return made;
  }

  /** Revokes certificates, and gives the list of all that are. */
  async revoke(...revoked: readonly Certificate[]): Promise<string> {
    for (const { cert } of revoked) await this.#manage('-revoke', cert);
    return this.#list('crl');
  }

  /** The list of those that are revoked, as it was long ago. */
  expiredList(): Promise<string> {
    const days = ['-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200102000000Z'];
    return this.#list('old-crl', ...days);
  }

  #manage(...order: readonly string[]): Promise<string> {
    const by = ['-config', this.config, '-keyfile', this.key, '-cert', this.cert];
    return openssl('ca', ...by, ...order);
  }

  async #list(name: string, ...options: readonly string[]): Promise<string> {
    const list = this.#path(name);
    await this.#manage('-gencrl', '-out', list, ...options);
    return list;
  }

  #path(name: string): string {
    return join(this.#folder, `${this.#name}-${name}`);
  }
}
