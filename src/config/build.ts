/** From the decoded file to the config: files read, defaults resolved, and what no single key can see. Pure. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { makeAddress } from '../address.ts';
import { buildClient } from './build-client.ts';
import { buildIdentify } from './build-identify.ts';
import { buildInterpreter } from './build-interpreter.ts';
import { buildNamers } from './build-namers.ts';
import { buildTls } from './build-tls.ts';
import type { Config, LogConfig, RouterConfig, ServerConfig, TlsVersions } from './config.ts';
import { conflicts } from './conflicts.ts';
import type { Place, Steps } from './document.ts';
import type { FileKinds } from './kinds.ts';
import { showPath } from './report.ts';
import type { RawFile, RawRouter, RawServer } from './schema.ts';
import type { NamerConfig } from './schema-namers.ts';

/** How files are read; what is wrong is told as the rest of a line after the path. */
export interface Files {
  readonly read: (path: string) => Either<string, string>;
  /** The absolute path of what a path of the file means. */
  readonly resolve: (path: string) => string;
  /** The absolute path of what a path in another file means, which is named from its own folder. */
  readonly beside: (file: string, path: string) => string;
  /** The absolute path of a folder that is there. */
  readonly folder: (path: string) => Either<string, string>;
  /** Whether a certificate chain and a private key are good and belong together. */
  readonly checkIdentity: (certs: string, privateKey: string) => Either<string, void>;
  readonly checkRoots: (certs: string) => Either<string, void>;
  readonly checkCrl: (crl: string) => Either<string, void>;
  /** Whether the library knows the ciphers, and the versions leave one. */
  readonly checkVersions: (versions: TlsVersions) => Either<string, void>;
  /** Loads modules; those that cannot be had are told by their index, and their kinds are missing. */
  readonly plugins: (modules: readonly string[]) => Plugins;
  /** See `ServerTlsConfig`. */
  readonly ticketKeys: Uint8Array;
}

/** What the plugins of a file add to its format. */
export interface Plugins {
  readonly kinds: FileKinds;
  readonly errors: readonly { readonly index: number; readonly message: string }[];
}

/** Something to tell about one place of the file. */
export interface Remark {
  readonly steps: Steps;
  readonly message: string;
  /** Where within the text that stands there. */
  readonly at?: Place;
}

/** The work in progress: what has been found wrong or odd so far. */
export interface Workshop {
  readonly files: Files;
  readonly errors: Remark[];
  readonly warnings: Remark[];
}

/** Reads one of the files that the config names; what is wrong is noted, and the text is empty then. */
export const readInto = ({ files, errors }: Workshop, path: string, steps: Steps): string => {
  const content = files.read(path);
  if (!isLeft(content)) return content.right;
  errors.push({ steps, message: content.left });
  return '';
};

const NEVER = Number.POSITIVE_INFINITY;

const buildServer = (shop: Workshop, raw: RawServer, steps: Steps): ServerConfig => {
  const {
    ip,
    port,
    tls,
    peek,
    proxyProtocol,
    idleTimeoutMs,
    connectionLifetimeSecs,
    connectionLifetimeJitterPercent,
  } = raw;
  const common: ServerConfig = {
    place: showPath(steps),
    address: makeAddress(ip, port),
    identify: buildIdentify(shop, raw, steps),
    sources: raw.sources ?? { allow: [], deny: [] },
    connectTimeoutMs: raw.connectTimeoutMs,
    connectionLifetimeMs: (connectionLifetimeSecs ?? NEVER) * 1000,
    connectionLifetimeJitter: connectionLifetimeJitterPercent / 100,
    idleTimeoutMs: idleTimeoutMs ?? NEVER,
    halfCloseTimeoutMs: raw.halfCloseTimeoutMs,
    resetLingerMs: raw.resetLingerMs,
    maxConcurrency: raw.maxConcurrency,
  };
  if (tls !== undefined && peek !== undefined)
    shop.errors.push({
      steps: [...steps, 'peek'],
      message: 'expected one of tls and peek, got both',
    });
  return {
    ...common,
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(peek === undefined ? {} : { peek }),
    ...(tls === undefined ? {} : { tls: buildTls(shop, tls, [...steps, 'tls']) }),
  };
};

const buildRouter = (
  shop: Workshop,
  { raw, namers }: { readonly raw: RawRouter; readonly namers: readonly NamerConfig[] },
  steps: Steps,
): RouterConfig => ({
  label: raw.label,
  place: showPath(steps),
  interpreter: buildInterpreter(shop, { router: raw, namers }, steps),
  operators: raw.operators.map(({ shadow, ...custom }, i) => ({
    ...custom,
    isShadow: shadow,
    place: showPath([...steps, 'operators', i]),
  })),
  servers: raw.servers.map((server, i) => buildServer(shop, server, [...steps, 'servers', i])),
  client: raw.client === undefined ? [] : buildClient(shop, raw.client, [...steps, 'client']),
  bindingCache: raw.bindingCache,
});

/** The log where none is configured. */
export const DEFAULT_LOG: LogConfig = { level: 'info', format: 'text' };

const DEFAULT_ADMIN = { ip: '127.0.0.1', port: 9989, graceSecs: 10, hosts: [], maxNameSeries: 500 };

/** What became of a file: the config counts only where there are no errors. */
export interface Build<C = Config> {
  readonly config: C;
  readonly errors: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** Builds the config. */
export const build = (raw: RawFile, files: Files): Build => {
  const shop: Workshop = { files, errors: [], warnings: [] };
  const { metricsIntervalSecs, ...admin } = { metricsIntervalSecs: undefined, ...raw.admin };
  if (metricsIntervalSecs !== undefined) {
    shop.warnings.push({
      steps: ['admin', 'metricsIntervalSecs'],
      message: 'has no effect: metrics are live; remove it',
    });
  }
  const namers = buildNamers(shop, raw.namers);
  const config: Config = {
    admin: { ...DEFAULT_ADMIN, ...admin },
    log: raw.log ?? DEFAULT_LOG,
    workers: raw.workers,
    bufferSizeBytes: raw.bufferSizeBytes,
    maxBufferedBytes: raw.maxBufferedBytes,
    ...(raw.recorder === undefined ? {} : { recorder: raw.recorder }),
    routers: raw.routers.map((router, i) =>
      buildRouter(shop, { raw: router, namers }, ['routers', i]),
    ),
  };
  return { config, errors: [...shop.errors, ...conflicts(config)], warnings: shop.warnings };
};
