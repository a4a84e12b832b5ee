/** Makes the interpreter that the configuration names. */
import { identity, of } from 'rxjs';
import type { InterpreterConfig } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { ResolverEvent } from '../event.ts';
import { makeCustomInterpreter } from '../plugins/make.ts';
import { makeDtabInterpreter } from './dtab-interpreter.ts';
import { guardInterpreter } from './guard.ts';
import { makeHttp } from './http.ts';
import type { Interpreter } from './interpreter.ts';
import { makeNamerdHttp } from './namerd-http.ts';
import { makeNamings, type Namings } from './namings.ts';
import { makeStatic } from './static.ts';
import type { Transport } from './transport.ts';
import type { WatchGate } from './watch-gate.ts';

/** What an interpreter needs of the router that it serves. */
export interface InterpreterContext {
  /** Label of the router, for events and the log. */
  readonly rt: string;
  /** Told at the end of each look-up; must not throw. */
  readonly report: (event: ResolverEvent) => void;
  /** How to reach namerd; absent: over the network, trusting the platform's roots. */
  readonly http?: Transport;
  /** Absent: watches are bounded by `maxWatches` alone. */
  readonly gate?: WatchGate;
  /** What routers share of the interpreter `default`; absent: nothing. */
  readonly namings?: Namings;
}

/**
 * Makes an interpreter. It does nothing until a name is resolved, and holds nothing when none is, but for idle
 * connections to namerd, which close by themselves.
 */
export const makeInterpreter = (
  config: InterpreterConfig,
  { rt, report, http = makeHttp(), gate = identity, namings }: InterpreterContext,
  env: Env,
): Interpreter => {
  switch (config.kind) {
    case 'default': {
      const naming = (namings ?? makeNamings(env))(config.namers);
      return makeDtabInterpreter(naming, of(config.dtab), env);
    }
    case 'custom':
      return guardInterpreter(() => makeCustomInterpreter(config, env), env, rt);
    case 'static':
      return makeStatic(config);
    case 'io.l5d.namerd.http':
      return makeNamerdHttp(config, { rt, report, http, gate }, env);
  }
};
