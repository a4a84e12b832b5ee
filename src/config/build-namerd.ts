/** From the decoded file of `linkerd-tcp namerd` to its config. Pure. */
import { type Address, makeAddress } from '../address.ts';
import type { Dtab } from '../dtab/dtab.ts';
import { type Build, DEFAULT_LOG, type Files, readInto, type Workshop } from './build.ts';
import { buildDtab } from './build-interpreter.ts';
import { buildNamers } from './build-namers.ts';
import { note } from './build-tls.ts';
import type { LogConfig } from './config.ts';
import type { Steps } from './document.ts';
import { showPath } from './report.ts';
import type { RawInterface, RawNamerd } from './schema-namerd.ts';
import type { NamerConfig } from './schema-namers.ts';

/** Where dtabs are kept. */
export type StorageConfig =
  | { readonly kind: 'io.l5d.inMemory'; readonly namespaces: ReadonlyMap<string, Dtab> }
  /** Absolute. */
  | { readonly kind: 'io.l5d.fs'; readonly rootDir: string };

/** One interface. */
export interface InterfaceConfig {
  /** Where it stands in the file: `interfaces[0]`. */
  readonly place: string;
  readonly address: Address;
  readonly maxWatches: number;
  /** PEM. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly requestCert: boolean;
  };
}

/** The whole file. */
export interface NamerdConfig {
  readonly admin: { readonly ip: string; readonly port: number };
  readonly log: LogConfig;
  readonly storage: StorageConfig;
  readonly namers: readonly NamerConfig[];
  readonly interfaces: readonly InterfaceConfig[];
}

const buildStorage = (shop: Workshop, raw: RawNamerd['storage']): StorageConfig => {
  if (raw.kind === 'io.l5d.fs') return { ...raw, rootDir: shop.files.resolve(raw.rootDir) };
  const namespaces = [...raw.namespaces].map(
    ([name, text]) => [name, buildDtab(shop, text, ['storage', 'namespaces', name])] as const,
  );
  return { kind: raw.kind, namespaces: new Map(namespaces) };
};

/** Of clients. Without any, the roots of the system would be trusted, and so whoever has a certificate at all. */
const buildRoots = (
  shop: Workshop,
  { caCertPath, requireClientAuth }: NonNullable<RawInterface['tls']>,
  steps: Steps,
): { readonly ca?: string } => {
  if (caCertPath === undefined) {
    if (requireClientAuth)
      shop.errors.push({
        steps,
        message: 'expected a caCertPath with requireClientAuth, got none',
      });
    return {};
  }
  const known = shop.errors.length;
  const place = [...steps, 'caCertPath'];
  const ca = readInto(shop, caCertPath, place);
  note(shop, known, place, shop.files.checkRoots(ca));
  return { ca };
};

const buildTls = (
  shop: Workshop,
  raw: NonNullable<RawInterface['tls']>,
  steps: Steps,
): NonNullable<InterfaceConfig['tls']> => {
  const { checkIdentity, checkRoots } = shop.files;
  const known = shop.errors.length;
  const read = (key: 'certPath' | 'keyPath' | 'intermediateCertsPath'): string => {
    const path = raw[key];
    return path === undefined ? '' : readInto(shop, path, [...steps, key]);
  };
  const [cert, key, rest] = [read('certPath'), read('keyPath'), read('intermediateCertsPath')];
  const chain = `${cert}\n${rest}`;
  note(shop, known, [...steps, 'certPath'], checkIdentity(cert, key));
  if (raw.intermediateCertsPath !== undefined) {
    const place = [...steps, 'intermediateCertsPath'];
    note(shop, known, place, checkRoots(rest));
    note(shop, known, place, checkIdentity(chain, key));
  }
  return { cert: chain, key, requestCert: raw.requireClientAuth, ...buildRoots(shop, raw, steps) };
};

const buildInterface = (shop: Workshop, raw: RawInterface, i: number): InterfaceConfig => {
  const steps = ['interfaces', i];
  const { tls } = raw;
  return {
    place: showPath(steps),
    address: makeAddress(raw.ip, raw.port),
    maxWatches: raw.maxWatches,
    ...(tls === undefined ? {} : { tls: buildTls(shop, tls, [...steps, 'tls']) }),
  };
};

/** Builds the config. */
export const buildNamerd = (raw: RawNamerd, files: Files): Build<NamerdConfig> => {
  const shop: Workshop = { files, errors: [], warnings: [] };
  const config: NamerdConfig = {
    admin: raw.admin,
    log: raw.log ?? DEFAULT_LOG,
    storage: buildStorage(shop, raw.storage),
    namers: buildNamers(shop, raw.namers),
    interfaces: raw.interfaces.map((one, i) => buildInterface(shop, one, i)),
  };
  if (config.interfaces.length === 0)
    shop.errors.push({ steps: ['interfaces'], message: 'expected an interface, got none' });
  return { config, errors: shop.errors, warnings: shop.warnings };
};
