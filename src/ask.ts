/** The commands `delegate` and `explain`: questions about a configuration that nothing runs on. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { map, type Observable } from 'rxjs';
import type { Task } from './cli.ts';
import type { LoadedFile } from './config/read.ts';
import { delegationText, isBound } from './delegation-text.ts';
import type { Env } from './env.ts';
import { explainFor } from './explain-for.ts';
import { explainRoute, type RouteExplained } from './explain-route.ts';
import { explainName } from './interpreter/explain.ts';
import type { Explain } from './machine.ts';
import { makeIdentifier } from './plugins/make.ts';
import { routeText } from './route-text.ts';

/** An answer: what is printed, or what is wrong with the question. */
export interface Told {
  readonly out?: string;
  readonly error?: string;
  /** It leads to a name that exists. */
  readonly isBound: boolean;
}

const explainBy =
  (env: Env): Explain =>
  (interpreter, path) =>
    explainName(interpreter, { path }, env);

/** How a name is delegated. */
export const askName = (
  { config }: LoadedFile,
  { router, name }: Extract<Task, { t: 'delegate' }>,
  env: Env,
): Observable<Told> =>
  explainFor(config, { router, text: name }, explainBy(env)).pipe(
    map((explained) =>
      isLeft(explained)
        ? { error: explained.left, isBound: false }
        : { out: delegationText(explained.right), isBound: isBound(explained.right) },
    ),
  );

const leadsSomewhere = ({ isAllowed, delegation }: RouteExplained): boolean =>
  isAllowed && delegation !== undefined && !isLeft(delegation) && isBound(delegation.right);

/** Why a connection is routed as it is. */
export const askRoute = (
  { config, lineOf }: LoadedFile,
  { question }: Extract<Task, { t: 'explain' }>,
  env: Env,
): Observable<Told> =>
  explainRoute(config, question, {
    explain: explainBy(env),
    identifier: (rule) => makeIdentifier(rule, env),
    lineOf,
  }).pipe(
    map((explained) =>
      isLeft(explained)
        ? { error: explained.left, isBound: false }
        : { out: routeText(explained.right, lineOf), isBound: leadsSomewhere(explained.right) },
    ),
  );
