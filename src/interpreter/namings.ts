/** Names by dtabs, for all routers of a process: those with the same namers share what is looked up. */
import { isDeepStrictEqual } from 'node:util';
import type { NamerConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import { type DtabNaming, makeDtabNaming } from './dtab-naming.ts';
import { makeNamers } from './namers/make.ts';

/** Gives the naming of some namers. */
export type Namings = (namers: readonly NamerConfig[]) => DtabNaming;

/** Makes namings. Equal namers in a row have one: a reload that leaves them as they are looks nothing up anew. */
export const makeNamings = (env: Env): Namings => {
  let last: { readonly namers: readonly NamerConfig[]; readonly naming: DtabNaming } | undefined;
  return (namers) => {
    if (last === undefined || !isDeepStrictEqual(last.namers, namers))
      last = { namers, naming: makeDtabNaming(makeNamers(namers, env), env) };
    return last.naming;
  };
};
