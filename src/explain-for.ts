/** Questions of people about names: which router, which name. */
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { type Observable, of } from 'rxjs';
import type { Config } from './config/config.ts';
import { parseName } from './dtab/parse.ts';
import type { Explained } from './interpreter/explain.ts';
import type { Explain } from './machine.ts';

/** A question as it was asked. */
export interface Question {
  readonly router: string;
  readonly text: string;
}

/** Explains a name of a router of a config; `Left`: what is wrong with the question, or why it cannot be told. */
export const explainFor = (
  { routers }: Config,
  { router, text }: Question,
  explain: Explain,
): Observable<Explained> => {
  const wrong = (message: string): Observable<Either<string, never>> => of(left(message));
  const found = routers.find(({ label }) => label === router);
  if (found === undefined) {
    const known = routers.map(({ label }) => label).join(', ');
    return wrong(`expected a router, one of ${known}, got "${router}"`);
  }
  const path = parseName(text);
  if (isLeft(path)) return wrong(`expected a name such as /svc/web, got "${text}"`);
  return explain(found.interpreter, path.right);
};
