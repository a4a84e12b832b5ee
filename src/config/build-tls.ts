/** Identities and roots: PEM files read and checked while the config is loaded. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { readInto, type Workshop } from './build.ts';
import type { ClientTlsPolicy, Identity, ServerTlsConfig } from './config.ts';
import type { Steps } from './document.ts';
import type { RawIdentity, RawServerTls } from './schema.ts';
import type { RawTlsClient } from './schema-client.ts';

const buildIdentity = (shop: Workshop, raw: RawIdentity, steps: Steps): Identity => {
  const known = shop.errors.length;
  const certs = raw.certs.map((path, i) => readInto(shop, path, [...steps, 'certs', i])).join('\n');
  const privateKey = readInto(shop, raw.privateKey, [...steps, 'privateKey']);
  if (raw.certs.length === 0)
    shop.errors.push({
      steps: [...steps, 'certs'],
      message: 'expected at least one file, got none',
    });
  if (shop.errors.length > known) return { certs, privateKey };
  const checked = shop.files.checkIdentity(certs, privateKey);
  if (isLeft(checked)) shop.errors.push({ steps, message: checked.left });
  return { certs, privateKey };
};

/** The TLS of a server. */
export const buildTls = (shop: Workshop, raw: RawServerTls, steps: Steps): ServerTlsConfig => {
  const { defaultIdentity, identities = new Map<string, RawIdentity>(), ...rest } = raw;
  if (defaultIdentity === undefined) {
    const message = 'expected a defaultIdentity for clients that ask for no known name, got none';
    shop.errors.push({ steps, message });
  }
  const named = [...identities].map(
    ([name, identity]) =>
      [name.toLowerCase(), buildIdentity(shop, identity, [...steps, 'identities', name])] as const,
  );
  const common = { ...rest, identities: new Map(named) };
  if (defaultIdentity === undefined) return common;
  return {
    ...common,
    defaultIdentity: buildIdentity(shop, defaultIdentity, [...steps, 'defaultIdentity']),
  };
};

/** The TLS of a client. */
export const buildTlsClient = (
  shop: Workshop,
  raw: RawTlsClient,
  steps: Steps,
): ClientTlsPolicy => {
  const { dnsName, trustCerts } = raw;
  if (trustCerts === undefined) return { dnsName };
  const roots = trustCerts.map((path, i) => {
    const place = [...steps, 'trustCerts', i];
    const known = shop.errors.length;
    const content = readInto(shop, path, place);
    const checked = shop.files.checkRoots(content);
    if (isLeft(checked) && shop.errors.length === known)
      shop.errors.push({ steps: place, message: checked.left });
    return content;
  });
  return { dnsName, trustCerts: roots };
};
