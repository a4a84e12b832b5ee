/** The namers of a file. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Path } from '../path.ts';
import type { Workshop } from './build.ts';
import { buildKubeApi, buildPem } from './build-api.ts';
import type { Steps } from './document.ts';
import type { NamerConfig, RawNamer } from './schema-namers.ts';

/** Where its names are: a plugin’s, if nothing else is said, behind its kind. */
const prefixOf = (raw: RawNamer): Path =>
  raw.kind === 'custom' ? (raw.prefix ?? (`/${raw.by}` as Path)) : raw.prefix;

const beginsWith = (one: Path, other: Path): boolean =>
  one === other || one.startsWith(`${other}/`);

/** Prefixes of which one begins with another would leave open whom a name is for. */
const checkPrefixes = ({ errors }: Workshop, namers: readonly RawNamer[]): void => {
  const prefixes = namers.map(prefixOf);
  for (const [i, prefix] of prefixes.entries()) {
    const clash = prefixes
      .slice(0, i)
      .find((other) => beginsWith(prefix, other) || beginsWith(other, prefix));
    if (clash === undefined) continue;
    const message = `expected a prefix that is apart from ${clash}, got ${prefix}; change one`;
    errors.push({ steps: ['namers', i, 'prefix'], message });
  }
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
    case 'io.l5d.k8s':
      return { ...raw, api: buildKubeApi(shop, raw, steps) };
    case 'custom':
      return { ...raw, prefix: prefixOf(raw) };
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
