/** What the interpreter says of a name in a scenario. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { parseAddress, type WeightedAddress } from '../address.ts';
import type { Workshop } from '../config/build.ts';
import type { Steps } from '../config/document.ts';
import { suggest } from '../config/report.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import { type Path, parsePath } from '../path.ts';
import { readRow } from './read-row.ts';
import type { At, Endpoint } from './scenario.ts';
import type { RawName, RawSaid } from './schema.ts';

/** `db1`, `db1 * 0.5`, or an address. */
const endpointOf = (
  shop: Workshop,
  text: string,
  { endpoints, steps }: { readonly endpoints: readonly Endpoint[]; readonly steps: Steps },
): readonly WeightedAddress[] => {
  const [name = '', weightText = '1', ...more] = text.split(/\s+\*\s+/);
  const weight = Number(weightText);
  const known = endpoints.find((one) => one.name === name)?.address ?? parseAddress(name);
  const isGood = known !== undefined && weight >= 0 && weight < Number.POSITIVE_INFINITY;
  if (isGood && more.length === 0) return [{ address: known, weight }];
  const names = endpoints.map((one) => one.name);
  const message = `expected an endpoint such as ${names[0] ?? '10.0.0.1:80'}, with a weight if wanted, got "${text}"${suggest(name, names)}`;
  shop.errors.push({ steps, message });
  return [];
};

const unique = (endpoints: readonly WeightedAddress[]): readonly WeightedAddress[] => [
  ...new Map(endpoints.map((one) => [one.address.text, one])).values(),
];

const resolutionOf = (
  shop: Workshop,
  said: RawSaid,
  parts: { readonly endpoints: readonly Endpoint[]; readonly steps: Steps },
): Resolution => {
  switch (said.t) {
    case 'endpoints':
      return {
        t: 'bound',
        endpoints: unique(said.endpoints.flatMap((text) => endpointOf(shop, text, parts))),
      };
    case 'union': {
      const branches = said.branches.map(({ weight, endpoints }, i) => ({
        weight,
        part: {
          t: 'set' as const,
          id: `branch ${i}`,
          endpoints: endpoints.flatMap((text) => endpointOf(shop, text, parts)),
        },
      }));
      const endpoints = unique(branches.flatMap(({ part }) => part.endpoints));
      return branches.length < 2
        ? { t: 'bound', endpoints }
        : { t: 'bound', endpoints, union: { t: 'union', branches } };
    }
    case 'failed':
      return { t: 'failed', cause: 'the scenario says so' };
    default:
      return said;
  }
};

/** Builds one name. */
export const buildName = (
  shop: Workshop,
  [name, { row, values, isAlways }]: readonly [string, RawName],
  endpoints: readonly Endpoint[],
): readonly [Path, readonly At<Resolution>[]] => {
  const steps = ['names', name];
  const path = parsePath(name);
  if (isLeft(path)) shop.errors.push({ steps, message: `expected ${path.left}, got "${name}"` });
  if (row === undefined)
    shop.errors.push({ steps, message: 'expected row with values, or union, got neither' });
  const known = new Map(
    [...values].map(([letter, said]) => [
      letter,
      resolutionOf(shop, said, {
        endpoints,
        steps: isAlways ? steps : [...steps, 'values', letter],
      }),
    ]),
  );
  const marks = readRow(shop, row ?? '', [...steps, 'row']).flatMap(({ at, key }) => {
    const value = known.get(key);
    if (value !== undefined) return [{ at, value }];
    const letters = [...known.keys()].join(', ');
    shop.errors.push({
      steps: [...steps, 'row'],
      message: `expected letters of values (${letters}), got ${key}`,
    });
    return [];
  });
  return [isLeft(path) ? ('/' as Path) : path.right, marks];
};
