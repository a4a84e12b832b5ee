/** An interpreter of others’ code behind a fence. */
import { defer, tap } from 'rxjs';
import type { Env } from '../env.ts';
import { guarded } from './guarded.ts';
import type { Interpreter, Resolution } from './interpreter.ts';
import { makeJournal } from './journal.ts';
import { isAddr, isEndpoint, isList, isWeight, MOST_DEPTH, record } from './namers/check.ts';

/** What comes sooner after another resolution waits so long. */
const WINDOW_MS = 100;

const isPart = (value: unknown, depth = 0): boolean => {
  const { t, id, endpoints, branches } = record(value);
  if (depth > MOST_DEPTH) return false;
  if (t === 'set')
    return typeof id === 'string' && isList(endpoints) && endpoints.every(isEndpoint);
  return (
    t === 'union' &&
    isList(branches) &&
    branches.every((one) => {
      const { weight, part } = record(one);
      return isWeight(weight) && isPart(part, depth + 1);
    })
  );
};

const isResolution = (value: unknown): value is Resolution => {
  const { t, union } = record(value);
  if (t === 'bound' && union !== undefined)
    return isAddr(value) && record(union)['t'] === 'union' && isPart(union);
  return t === 'confirmed' || isAddr(value);
};

/**
 * Makes it when it is needed: one that throws, floods or says nonsense fails its own names, and is asked again. What it
 * fails at is logged, for the router `rt` if it serves one.
 */
export const guardInterpreter = (make: () => Interpreter, env: Env, rt?: string): Interpreter => {
  let made: Interpreter | undefined;
  const resolve: Interpreter['resolve'] = (path) => {
    made ??= make();
    return made.resolve(path);
  };
  const failed = (cause: string): Resolution => ({ t: 'failed', cause });
  return {
    resolve: (path) =>
      defer(() => {
        const journal = makeJournal({ ...(rt === undefined ? {} : { rt }), dst: path }, env);
        return guarded<Resolution>(
          defer(() => resolve(path)),
          { failed, isValue: isResolution, windowMs: WINDOW_MS },
          env,
        ).pipe(
          tap((news) => {
            if (news.t !== 'confirmed') journal({ news, flaws: undefined });
          }),
        );
      }),
  };
};
