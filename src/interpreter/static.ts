/** The interpreter `static`: names and their endpoints as the configuration lists them. */
import { concat, NEVER, of } from 'rxjs';
import type { StaticConfig } from '../config/config.ts';
import type { Interpreter, Resolution } from './interpreter.ts';

/**
 * Makes an interpreter that knows the listed names and no others.
 * Order: `resolve` tells `bound` or `neg` at once, synchronously, and nothing more.
 */
export const makeStatic = ({ names }: StaticConfig): Interpreter => ({
  resolve: (name) => {
    const endpoints = names.get(name);
    const known: Resolution = endpoints === undefined ? { t: 'neg' } : { t: 'bound', endpoints };
    return concat(of(known), NEVER);
  },
});
