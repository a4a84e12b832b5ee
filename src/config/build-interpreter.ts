/** Interpreters as the config has them. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { WeightedAddress } from '../address.ts';
import { type Path, parsePath } from '../path.ts';
import type { Workshop } from './build.ts';
import type { InterpreterConfig } from './config.ts';
import type { Steps } from './document.ts';
import type { RawInterpreter } from './schema.ts';

const twice = (endpoints: readonly WeightedAddress[]): number => {
  const texts = endpoints.map(({ address }) => address.text);
  return texts.findIndex((text, i) => texts.indexOf(text) < i);
};

/** The interpreter of a router; the names of a static one must be paths, with each address once. */
export const buildInterpreter = (
  { errors, warnings }: Workshop,
  raw: RawInterpreter,
  steps: Steps,
): InterpreterConfig => {
  if (raw.kind === 'io.l5d.namerd.http') {
    const { experimental, ...rest } = raw;
    if (experimental !== undefined)
      warnings.push({ steps: [...steps, 'experimental'], message: 'has no effect; remove it' });
    return rest;
  }
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
