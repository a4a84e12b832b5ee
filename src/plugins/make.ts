/** Makes what a configuration names by kind: of what comes along, or of a plugin. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { LoadBalancer } from '../balancer/load-balancer.ts';
import type { Custom, CustomBalancer, OperatorConfig } from '../config/config.ts';
import { showValue } from '../config/report.ts';
import type { Env } from '../env.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import type { Namer } from '../interpreter/namers/namer.ts';
import type { Operator, OperatorEnv } from '../operators/operator.ts';
import { shadow } from '../operators/shadow.ts';
import { type Path, parsePath } from '../path.ts';
import { BUILT_IN } from './built-in.ts';
import { loadModule } from './load.ts';
import type { Identifier, KindMaps, PluginEnv } from './plugin.ts';

const kindsOf = ({ module }: Pick<Custom, 'module'>): KindMaps => {
  if (module === undefined) return BUILT_IN;
  const kinds = loadModule(module);
  if (isLeft(kinds)) throw new Error(kinds.left);
  return kinds.right;
};

const found = <K>(kind: K | undefined, { by }: Pick<Custom, 'by'>): K => {
  if (kind === undefined) throw new Error(`no plugin has ${by}`);
  return kind;
};

const envOf = ({ scheduler, random, log }: Env): PluginEnv => ({
  scheduler,
  random,
  log,
  now: () => scheduler.now(),
});

/** Makes an operator. Errors: throws what it throws. */
export const makeOperator = (config: OperatorConfig, env: OperatorEnv): Operator => {
  const kind = found(kindsOf(config).operators.get(config.by), config);
  const operator = kind.make(config.options, env);
  return config.isShadow ? shadow(`${config.by} ${config.place}`, operator, env) : operator;
};

/** Makes a namer. Errors: throws what it throws. */
export const makeCustomNamer = (config: Custom, prefix: Path, env: Env): Namer =>
  found(kindsOf(config).namers.get(config.by), config).make(config.options, {
    ...envOf(env),
    prefix,
  });

/** Makes an interpreter. Errors: throws what it throws. */
export const makeCustomInterpreter = (config: Custom, env: Env): Interpreter =>
  found(kindsOf(config).interpreters.get(config.by), config).make(config.options, envOf(env));

/** One that throws is logged again after so long. */
const EPISODE_MS = 10_000;

/** Logs what is wrong with a thing of a plugin, once for each episode. */
const makeComplaint = (
  { scheduler, log }: Env,
  message: string,
  which: Readonly<Record<string, string>>,
): ((error: unknown) => void) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (scheduler.now() - toldAt < EPISODE_MS) return;
    toldAt = scheduler.now();
    log('error', message, { ...which, error: `${error}` });
  };
};

/** Makes an identifier. Errors: none; one that throws, cannot be made, or gives no path has no word, and that is logged. */
export const makeIdentifier = (
  config: Custom & { readonly place: string },
  env: Env,
): Identifier => {
  const identifier = `${config.by} ${config.place}`;
  const complain = makeComplaint(env, 'an identifier broke', { identifier });
  let made: Identifier | undefined;
  return (source) => {
    try {
      made ??= found(kindsOf(config).identifiers.get(config.by), config).make(
        config.options,
        envOf(env),
      );
      const given: unknown = made(source);
      if (given === undefined) return undefined;
      const path = parsePath(typeof given === 'string' ? given : '');
      if (!isLeft(path)) return path.right;
      complain(`expected a path such as /svc/web, got ${showValue(given)}`);
    } catch (error) {
      complain(error);
    }
    return undefined;
  };
};

/**
 * Makes a load balancer. Errors: none; one that throws, cannot be made, or chooses what is no candidate leaves the choice to
 * `p2c`, and that is logged.
 */
export const makeLoadBalancer = (config: CustomBalancer, env: Env): LoadBalancer => {
  const loadBalancer = `${config.by} ${config.place}`;
  const complain = makeComplaint(env, 'a load balancer broke', { loadBalancer });
  let made: LoadBalancer | undefined;
  return (pool) => {
    try {
      made ??= found(kindsOf(config).loadBalancers.get(config.by), config).make(
        config.options,
        undefined,
      );
      const chosen = made(pool);
      if (chosen === undefined || pool.has(chosen)) return chosen;
      complain('it chose what is no candidate');
    } catch (error) {
      complain(error);
    }
    return undefined;
  };
};
