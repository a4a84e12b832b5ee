/** The interpreter `io.l5d.namerd.http`: names are followed at namerd, whole or with their unions. */
import type { NamerdHttpConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import { type Good, parseAnswer } from './answer.ts';
import type { Interpreter } from './interpreter.ts';
import { Namerd, type NamerdContext } from './namerd-follow.ts';
import { unionsOf } from './namerd-unions.ts';
import { isSame } from './same.ts';

/**
 * Makes the interpreter that asks namerd’s HTTP API.
 *
 *   watch   --a-----x            a its first line, x its end
 *   polls   --------------b      2 s later, and then every period
 *   told    --a-----f-----b      f failed: a is kept, and stale
 *
 * Bounds: `maxWatches` watches and 16 polls at one time; what has no watch is polled, and moves to one when it is
 * free. A name costs one watch, with unions two and one for each further leaf; it is watched and polled only while it
 * is subscribed.
 * Source: namerd’s control API, `/api/1/resolve`, `/api/1/bind`, `/api/1/addr`.
 */
export const makeNamerdHttp = (
  config: NamerdHttpConfig,
  context: NamerdContext,
  env: Env,
): Interpreter => {
  const namerd = new Namerd(config, context, env);
  const resolve: Interpreter['resolve'] = (path) =>
    namerd.follow<Good>({ verb: 'resolve', path, parse: parseAnswer, isSame });
  return { resolve: config.weightedUnions ? unionsOf(namerd, resolve, env) : resolve };
};
