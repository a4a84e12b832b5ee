/** Loads the modules of plugins and checks what they give. */
import { createRequire } from 'node:module';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { isRecord } from '../config/codec.ts';
import { KIT } from './kit.ts';
import { INTERFACE, type KindMaps, SECTIONS, type Section } from './plugin.ts';

/** Where a module is, absolute. */
export type ModulePath = string;

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1).join('');

const codeOf = (error: unknown): unknown => (isRecord(error) ? error['code'] : undefined);

/** Finds a module: a file beside the configuration (`./x.js`), an absolute one, or a package installed there. */
export const findModule = (spec: string, folder: string): Either<string, ModulePath> => {
  try {
    return right(createRequire(`${folder}/config`).resolve(spec));
  } catch (error) {
    return left(`cannot find the plugin ${spec}: ${textOf(error)}`);
  }
};

/** The place in the module where it failed, if the error tells: `rate-limit.js:12`. */
const placeIn = (path: string, error: unknown): string => {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const at = stack.indexOf(path);
  const line = at < 0 ? undefined : /^:(\d+)/.exec(stack.slice(at + path.length))?.[1];
  return line === undefined ? path : `${path}:${line}`;
};

const importModule = (path: ModulePath): Either<string, unknown> => {
  try {
    const module: unknown = createRequire(path)(path);
    return right(isRecord(module) && 'default' in module ? module['default'] : module);
  } catch (error) {
    if (codeOf(error) === 'ERR_REQUIRE_ASYNC_MODULE')
      return left(
        `cannot load the plugin ${path}: expected a module that does not await at its top level`,
      );
    return left(`cannot load the plugin ${placeIn(path, error)}: ${textOf(error)}`);
  }
};

/** Does something that runs code of the module. */
const fenced = <A>(path: ModulePath, run: () => Either<string, A>): Either<string, A> => {
  try {
    return run();
  } catch (error) {
    return left(`cannot load the plugin ${placeIn(path, error)}: it threw: ${textOf(error)}`);
  }
};

const call = (path: ModulePath, found: unknown): Either<string, unknown> =>
  typeof found === 'function' ? fenced(path, () => right(found(KIT))) : right(found);

const isKind = <S extends Section>(
  value: unknown,
  _section: S,
): value is KindMaps[S] extends ReadonlyMap<string, infer K> ? K : never =>
  isRecord(value) &&
  isRecord(value['options']) &&
  typeof value['options']['validate'] === 'function' &&
  typeof value['make'] === 'function';

const HOW = 'a codec of io-ts as options, and a function make';

/** The kinds of one section; what is wrong with them is noted. */
const section = <S extends Section>(
  given: Readonly<Record<string, unknown>>,
  name: S,
  errors: string[],
) => {
  const kinds = new Map<string, KindMaps[S] extends ReadonlyMap<string, infer K> ? K : never>();
  const found = given[name] ?? {};
  if (!isRecord(found)) errors.push(`${name}: expected an object by kind`);
  else
    for (const [kind, value] of Object.entries(found)) {
      if (isKind(value, name)) kinds.set(kind, value);
      else errors.push(`${name}: ${kind}: expected ${HOW}`);
    }
  return kinds;
};

const WANTED = `expected a default export with api: ${INTERFACE} and operators, namers, …`;

/** What a module gives instead of a plugin. */
const emptyOf = (given: unknown): string | undefined => {
  if (!isRecord(given)) return 'none';
  if (typeof given['then'] === 'function') return 'a promise';
  return Object.keys(given).length === 0 ? 'nothing' : undefined;
};

const check = (path: ModulePath, given: unknown): Either<string, KindMaps> => {
  const refused = (what: string) => left(`the plugin ${path}: ${what}`);
  const empty = emptyOf(given);
  if (!isRecord(given) || empty !== undefined) return refused(`${WANTED}, got ${empty}`);
  const { api } = given;
  if (!t.number.is(api)) return refused(`expected api: ${INTERFACE}, got ${JSON.stringify(api)}`);
  if (api > INTERFACE)
    return refused(
      `it asks for interface ${api}, and this is ${INTERFACE}; use a newer linkerd-tcp`,
    );
  const names: readonly string[] = SECTIONS;
  const unknown = Object.keys(given).find((key) => key !== 'api' && !names.includes(key));
  const errors = unknown === undefined ? [] : [`expected ${names.join(', ')}, got ${unknown}`];
  const kinds: KindMaps = {
    operators: section(given, 'operators', errors),
    namers: section(given, 'namers', errors),
    interpreters: section(given, 'interpreters', errors),
    identifiers: section(given, 'identifiers', errors),
    loadBalancers: section(given, 'loadBalancers', errors),
  };
  if (errors.length > 0) return refused(errors.join('; '));
  return SECTIONS.every((name) => kinds[name].size === 0)
    ? refused('expected at least one kind, got none')
    : right(kinds);
};

/** Modules are loaded once in a process, as the platform does: a changed one takes effect at the next start. */
const loaded = new Map<ModulePath, Either<string, KindMaps>>();

/** Loads a module. Errors: one line that names it. Bounds: what configurations name. */
export const loadModule = (path: ModulePath): Either<string, KindMaps> => {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const found = importModule(path);
  const given = isLeft(found) ? found : call(path, found.right);
  const kinds = isLeft(given) ? given : fenced(path, () => check(path, given.right));
  if (!isLeft(kinds)) loaded.set(path, kinds);
  return kinds;
};
