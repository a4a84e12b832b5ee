/** Real servers of Debian's on free ports of 127.0.0.1, in folders of their own. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findProgram,
  freePort,
  type Scope,
  type Service,
  startService,
  succeed,
  temporaryFolder,
} from './process.ts';

export interface RedisOptions {
  readonly port?: number;
  /** Serve TLS with this pair instead of plain TCP. */
  readonly tls?: Certificate;
}

/** A Redis without persistence. */
export const startRedis = async (
  scope: Scope,
  { port: wanted, tls }: RedisOptions = {},
): Promise<Service> => {
  const port = wanted ?? (await freePort());
  const folder = await temporaryFolder(scope);
  const plain = ['--port', String(tls === undefined ? port : 0)];
  const secure =
    tls === undefined
      ? []
      : ['--tls-port', String(port), '--tls-cert-file', tls.cert, '--tls-key-file', tls.key];
  const rest = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const lenient = tls === undefined ? [] : ['--tls-auth-clients', 'no'];
  const command = [findProgram('redis-server'), ...plain, ...secure, ...lenient, ...rest];
  return startService(scope, command, { port });
};

/** An nginx with these `server` blocks, of which one listens on `port`. */
export const startNginxServers = async (
  scope: Scope,
  servers: string,
  port: number,
): Promise<Service> => {
  const folder = await temporaryFolder(scope);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr warn;
     events { worker_connections 512; }
     http { access_log off; sendfile on; ${paths} ${servers} }`,
  );
  return startService(scope, [findProgram('nginx'), '-p', folder, '-c', config], { port });
};

/** An nginx that serves the files of a folder. */
export const startNginx = async (scope: Scope, root: string): Promise<Service> => {
  const port = await freePort();
  return startNginxServers(scope, `server { listen 127.0.0.1:${port}; root ${root}; }`, port);
};

const POSTGRES_BIN = '/usr/lib/postgresql';

const postgresFolders = async (): Promise<readonly string[]> =>
  (await succeed(['sh', '-c', `ls -d ${POSTGRES_BIN}/*/bin`])).trim().split('\n').reverse();

/** The numbers of a user of this machine. */
const idsOf = (user: string): readonly [uid: string, gid: string] => {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid = '', gid = ''] = (line ?? '').split(':');
  return [uid, gid];
};

/** PostgreSQL refuses root: there it runs as Debian's user `postgres`. */
const asPostgres = (command: readonly string[]): readonly string[] => {
  if (process.getuid?.() !== 0) return command;
  const [uid, gid] = idsOf('postgres');
  return [findProgram('setpriv'), `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command];
};

/** A PostgreSQL with a user `postgres` that needs no password, and TLS for `localhost` on demand of the client. */
export const startPostgres = async (scope: Scope): Promise<Service & { readonly cert: string }> => {
  const folders = await postgresFolders();
  const folder = await temporaryFolder(scope);
  const { cert, key } = await makeCertificate(folder, 'localhost');
  if (process.getuid?.() === 0) await succeed(['chown', '-R', 'postgres:', folder]);
  const data = join(folder, 'data');
  const port = await freePort();
  const auth = ['-A', 'trust', '-U', 'postgres', '--no-sync'];
  await succeed(asPostgres([findProgram('initdb', ...folders), '-D', data, ...auth]));
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'ssl=on',
    `ssl_cert_file=${cert}`,
    `ssl_key_file=${key}`,
  ].flatMap((setting) => ['-c', setting]);
  const command = [findProgram('postgres', ...folders), '-D', data, '-p', String(port)];
  const options = { port, signal: 'SIGINT' } as const;
  return { ...(await startService(scope, asPostgres([...command, ...settings]), options)), cert };
};

/** Paths of a certificate that signs itself, and of its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for one DNS name and 127.0.0.1. */
export const makeCertificate = async (folder: string, name: string): Promise<Certificate> => {
  const stem = join(folder, `${name}-${randomBytes(4).toString('hex')}`);
  const [cert, key] = [`${stem}.pem`, `${stem}.key`];
  await succeed([
    findProgram('openssl'),
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`],
    ...['-out', cert, '-keyout', key],
  ]);
  await chmod(key, 0o600);
  return { cert, key };
};
