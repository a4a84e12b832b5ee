/** The files that a config names, read and checked on this machine. */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Files } from './build.ts';
import type { TlsVersions } from './config.ts';
import { loadPlugins } from './plugins.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** Why a file cannot be read, in words. */
export const readReason = (error: unknown): string => REASONS[codeOf(error)] ?? codeOf(error);

const attempt = <A>(make: () => A, tell: (error: unknown) => string): Either<string, A> => {
  try {
    return right(make());
  } catch (error) {
    return left(tell(error));
  }
};

const checkIdentity = (certs: string, privateKey: string): Either<string, void> =>
  attempt(
    () => {
      const key = createPrivateKey(privateKey);
      if (!new X509Certificate(certs).checkPrivateKey(key))
        throw new Error('the private key does not belong to the certificate');
      createSecureContext({ cert: certs, key: privateKey });
    },
    (error) =>
      `expected a certificate and its private key in PEM, got: ${error instanceof Error ? error.message : error}`,
  );

const checkRoots = (certs: string): Either<string, void> =>
  attempt(
    () => {
      new X509Certificate(certs);
    },
    () => 'expected certificates in PEM, got something else',
  );

const checkCrl = (crl: string): Either<string, void> =>
  attempt(
    () => {
      createSecureContext({ crl });
    },
    () => 'expected a revocation list in PEM, got something else',
  );

const checkVersions = ({ minVersion, maxVersion, ciphers }: TlsVersions): Either<string, void> =>
  attempt(
    () => {
      if (minVersion > maxVersion) throw new Error(`minVersion ${minVersion} above ${maxVersion}`);
      createSecureContext({
        minVersion,
        maxVersion,
        ...(ciphers === undefined ? {} : { ciphers }),
      });
    },
    (error) =>
      `expected versions and ciphers that OpenSSL knows, got: ${error instanceof Error ? error.message : error}`,
  );

const CHECKS = {
  checkIdentity,
  checkRoots,
  checkCrl,
  checkVersions,
  // New with each process.
  ticketKeys: randomBytes(48),
};

/** Files that also tell which of them were read. */
export interface NotedFiles extends Files {
  /** Absolute. */
  readonly paths: ReadonlySet<string>;
}

/** Files relative to the folder of the config file; `-` is the folder that the process runs in. */
export const filesBeside = (configFile: string): NotedFiles => {
  const folder = configFile === '-' ? '.' : dirname(configFile);
  const paths = new Set<string>();
  const read = (path: string): string => {
    const whole = resolve(folder, path);
    paths.add(whole);
    return readFileSync(whole, 'utf8');
  };
  const isFolder = (path: string): string => {
    const whole = resolve(folder, path);
    if (!statSync(whole).isDirectory()) throw new Error();
    return whole;
  };
  return {
    ...CHECKS,
    paths,
    plugins: (modules) => loadPlugins(modules, resolve(folder)),
    resolve: (path) => resolve(folder, path),
    beside: (file, path) => resolve(folder, dirname(file), path),
    folder: (path) =>
      attempt(
        () => isFolder(path),
        (error) => `expected a folder, got ${path}: ${readReason(error) || 'it is none'}`,
      ),
    read: (path) =>
      attempt(
        () => read(path),
        (error) => `cannot read ${path}: ${readReason(error)}`,
      ),
  };
};

const signatureOf = async (path: string): Promise<string> => {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    return readReason(error);
  }
};

/**
 * A text that is another one when any of these files is another one, by a write, a rename or the swap of a link on the
 * way to it. Errors: none; a file that is missing is one state of it.
 */
export const signatureOfAll = async (paths: readonly string[]): Promise<string> =>
  (await Promise.all(paths.map(signatureOf))).join('\n');
