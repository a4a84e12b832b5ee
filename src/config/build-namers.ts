/** The namers of a file. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Path } from '../path.ts';
import { readInto, type Workshop } from './build.ts';
import type { Of } from './codec.ts';
import type { Steps } from './document.ts';
import type { apiTls } from './schema-namer-consul.ts';
import type { ApiPem, NamerConfig, RawNamer } from './schema-namers.ts';

type RawApiTls = Of<typeof apiTls>;

const beginsWith = (one: Path, other: Path): boolean =>
  one === other || one.startsWith(`${other}/`);

/** Prefixes of which one begins with another would leave open whom a name is for. */
const checkPrefixes = ({ errors }: Workshop, namers: readonly RawNamer[]): void => {
  for (const [i, { prefix }] of namers.entries()) {
    const clash = namers
      .slice(0, i)
      .find((other) => beginsWith(prefix, other.prefix) || beginsWith(other.prefix, prefix));
    if (clash === undefined) continue;
    const message = `expected a prefix that is apart from ${clash.prefix}, got ${prefix}; change one`;
    errors.push({ steps: ['namers', i, 'prefix'], message });
  }
};

/** Reads what the API of a namer is trusted by, and what it is shown. */
const buildPem = (shop: Workshop, raw: RawApiTls, steps: Steps): ApiPem => {
  const place = [...steps, 'tls'];
  const { trustCerts, certPath, keyPath } = raw;
  if ((certPath === undefined) !== (keyPath === undefined)) {
    const message = 'expected both of certPath and keyPath, got one';
    shop.errors.push({ steps: place, message });
  }
  const ca = trustCerts.map((path, i) => readInto(shop, path, [...place, 'trustCerts', i]));
  const cert = certPath && readInto(shop, certPath, [...place, 'certPath']);
  const key = keyPath && readInto(shop, keyPath, [...place, 'keyPath']);
  return {
    ...(ca.length > 0 && { ca: ca.join('\n') }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
};

/** Folders are found beside the file. */
const buildNamer = (shop: Workshop, raw: RawNamer, steps: Steps): NamerConfig => {
  switch (raw.kind) {
    case 'io.l5d.fs': {
      const rootDir = shop.files.folder(raw.rootDir);
      if (!isLeft(rootDir)) return { ...raw, rootDir: rootDir.right };
      shop.errors.push({ steps: [...steps, 'rootDir'], message: rootDir.left });
      return raw;
    }
    case 'io.l5d.consul':
      return { ...raw, pem: raw.tls === undefined ? {} : buildPem(shop, raw.tls, steps) };
    default:
      return raw;
  }
};

/** The namers; their prefixes must be apart. */
export const buildNamers = (
  shop: Workshop,
  namers: readonly RawNamer[],
): readonly NamerConfig[] => {
  checkPrefixes(shop, namers);
  return namers.map((raw, i) => buildNamer(shop, raw, ['namers', i]));
};
