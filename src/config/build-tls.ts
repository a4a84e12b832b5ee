/** TLS: PEM files read and checked while the config is loaded. Pure. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { readInto, type Workshop } from './build.ts';
import type { ClientAuthConfig, ClientTlsPolicy, Identity, ServerTlsConfig } from './config.ts';
import type { Steps } from './document.ts';
import type { RawClientAuth, RawIdentity, RawServerTls, RawTlsClient } from './schema-tls.ts';

/** Notes what is wrong, if anything is and nothing else was noted since `known`. */
export const note = (
  shop: Workshop,
  known: number,
  steps: Steps,
  checked: Either<string, void>,
): void => {
  if (isLeft(checked) && shop.errors.length === known)
    shop.errors.push({ steps, message: checked.left });
};

/** The contents of several files, each checked. */
const readAll = (
  shop: Workshop,
  { paths, steps }: { readonly paths: readonly string[]; readonly steps: Steps },
  check: (content: string) => Either<string, void>,
): readonly string[] =>
  paths.map((path, i) => {
    const place = [...steps, i];
    const known = shop.errors.length;
    const content = readInto(shop, path, place);
    note(shop, known, place, check(content));
    return content;
  });

const buildIdentity = (shop: Workshop, raw: RawIdentity, steps: Steps): Identity => {
  const known = shop.errors.length;
  const certs = raw.certs.map((path, i) => readInto(shop, path, [...steps, 'certs', i])).join('\n');
  const privateKey = readInto(shop, raw.privateKey, [...steps, 'privateKey']);
  if (raw.certs.length === 0)
    shop.errors.push({
      steps: [...steps, 'certs'],
      message: 'expected at least one file, got none',
    });
  if (shop.errors.length === known)
    note(shop, known, steps, shop.files.checkIdentity(certs, privateKey));
  return { certs, privateKey };
};

const NO_CLIENT_AUTH: ClientAuthConfig = { mode: 'none', trustCerts: [], crls: [] };

const buildClientAuth = (shop: Workshop, raw: RawClientAuth, steps: Steps): ClientAuthConfig => {
  const { mode, trustCerts, crls } = raw;
  if (mode !== 'none' && trustCerts.length === 0)
    shop.errors.push({
      steps: [...steps, 'trustCerts'],
      message: 'expected at least one file of roots that client certificates lead to, got none',
    });
  const { checkRoots, checkCrl } = shop.files;
  return {
    mode,
    trustCerts: readAll(shop, { paths: trustCerts, steps: [...steps, 'trustCerts'] }, checkRoots),
    crls: readAll(shop, { paths: crls, steps: [...steps, 'crls'] }, checkCrl),
  };
};

const SERVER_NAME = /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

const buildIdentities = (
  shop: Workshop,
  identities: ReadonlyMap<string, RawIdentity>,
  steps: Steps,
): ReadonlyMap<string, Identity> =>
  new Map(
    [...identities].map(([name, raw]) => {
      const lower = name.toLowerCase();
      const place = [...steps, name];
      if (!SERVER_NAME.test(lower))
        shop.errors.push({
          steps: place,
          message: `expected a server name such as db.example.com or *.example.com, got "${name}"`,
        });
      return [lower, buildIdentity(shop, raw, place)];
    }),
  );

/** The TLS of a server. */
export const buildTls = (shop: Workshop, raw: RawServerTls, steps: Steps): ServerTlsConfig => {
  const { defaultIdentity, identities, clientAuth, ciphers, ...rest } = raw;
  const known = shop.errors.length;
  if (defaultIdentity === undefined && (identities?.size ?? 0) === 0)
    shop.errors.push({
      steps,
      message: 'expected a defaultIdentity, or identities by server name, got none',
    });
  const authSteps = [...steps, 'clientAuth'];
  const config: ServerTlsConfig = {
    ...rest,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(defaultIdentity === undefined
      ? {}
      : { defaultIdentity: buildIdentity(shop, defaultIdentity, [...steps, 'defaultIdentity']) }),
    identities: buildIdentities(shop, identities ?? new Map(), [...steps, 'identities']),
    clientAuth:
      clientAuth === undefined ? NO_CLIENT_AUTH : buildClientAuth(shop, clientAuth, authSteps),
    ticketKeys: shop.files.ticketKeys,
  };
  note(shop, known, steps, shop.files.checkVersions(config));
  return config;
};

/** The TLS of a client. */
export const buildTlsClient = (
  shop: Workshop,
  raw: RawTlsClient,
  steps: Steps,
): ClientTlsPolicy => {
  const { dnsName, trustCerts, clientAuth, ciphers, ...rest } = raw;
  const known = shop.errors.length;
  if (dnsName === undefined && !rest.disableValidation)
    shop.errors.push({
      steps,
      message: 'expected a dnsName that the endpoint’s certificate must have, got none',
    });
  if (rest.disableValidation)
    shop.warnings.push({
      steps: [...steps, 'disableValidation'],
      message: 'endpoints are not validated: whoever is in between can read and change all',
    });
  const roots = (paths: readonly string[]): readonly string[] =>
    readAll(shop, { paths, steps: [...steps, 'trustCerts'] }, shop.files.checkRoots);
  const policy: ClientTlsPolicy = {
    ...rest,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(dnsName === undefined ? {} : { dnsName }),
    ...(trustCerts === undefined ? {} : { trustCerts: roots(trustCerts) }),
    ...(clientAuth === undefined
      ? {}
      : { clientAuth: buildIdentity(shop, clientAuth, [...steps, 'clientAuth']) }),
  };
  note(shop, known, steps, shop.files.checkVersions(policy));
  return policy;
};
