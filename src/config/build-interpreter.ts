/** Interpreters as the config has them. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { WeightedAddress } from '../address.ts';
import type { Dtab } from '../dtab/dtab.ts';
import { parseDtab } from '../dtab/parse.ts';
import { type Path, parsePath } from '../path.ts';
import type { Workshop } from './build.ts';
import type { InterpreterConfig, StaticConfig } from './config.ts';
import type { Steps } from './document.ts';
import type { RawInterpreter, RawRouter } from './schema.ts';
import type { NamerConfig } from './schema-namers.ts';

const twice = (endpoints: readonly WeightedAddress[]): number => {
  const texts = endpoints.map(({ address }) => address.text);
  return texts.findIndex((text, i) => texts.indexOf(text) < i);
};

/** The names must be paths, with each address once. */
const buildStatic = (
  { errors }: Workshop,
  raw: Extract<RawInterpreter, { kind: 'static' }>,
  steps: Steps,
): StaticConfig => {
  const names = new Map<Path, readonly WeightedAddress[]>();
  for (const [name, endpoints] of raw.names) {
    const place = [...steps, 'names', name];
    const path = parsePath(name);
    if (isLeft(path))
      errors.push({ steps: place, message: `expected ${path.left}, got "${name}"` });
    else names.set(path.right, endpoints);
    const second = twice(endpoints);
    const message = `expected each address once, got ${endpoints[second]?.address.text} twice`;
    if (second >= 0) errors.push({ steps: [...place, second], message });
  }
  return { kind: 'static', names };
};

/** What is wrong with a dtab is told with its place. */
export const buildDtab = ({ errors }: Workshop, text: string, steps: Steps): Dtab => {
  const dtab = parseDtab(text);
  if (!isLeft(dtab)) return dtab.right;
  const { message, line, column } = dtab.left;
  errors.push({ steps, message, at: { line, col: column } });
  return [];
};

const NO_RULE = 'expected a dtab, got none: names that begin with neither /# nor /$ do not exist';

/** The interpreter of a router. */
export const buildInterpreter = (
  shop: Workshop,
  { router, namers }: { readonly router: RawRouter; readonly namers: readonly NamerConfig[] },
  steps: Steps,
): InterpreterConfig => {
  const { interpreter: raw, dtab } = router;
  const place = [...steps, 'interpreter'];
  if (raw.kind === 'default') {
    if (dtab === undefined) shop.warnings.push({ steps, message: NO_RULE });
    return { kind: 'default', dtab: buildDtab(shop, dtab ?? '', [...steps, 'dtab']), namers };
  }
  if (dtab !== undefined) {
    const message = `expected no dtab with the interpreter ${raw.kind === 'custom' ? raw.by : raw.kind}, which does not use it; remove one`;
    shop.errors.push({ steps: [...steps, 'dtab'], message });
  }
  if (raw.kind === 'static') return buildStatic(shop, raw, place);
  if (raw.kind === 'custom') return raw;
  const { experimental, ...rest } = raw;
  if (experimental !== undefined)
    shop.warnings.push({
      steps: [...place, 'experimental'],
      message: 'has no effect; remove it',
    });
  return rest;
};
