/** From the text of a config file to a config, or to all that is wrong with it. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Context, ValidationError } from 'io-ts';
import { type Build, build, type Files } from './build.ts';
import { buildNamerd, type NamerdConfig } from './build-namerd.ts';
import { type Codec, isRecord, UNKNOWN_KEY } from './codec.ts';
import type { Config } from './config.ts';
import { parseSource, type Source, type Steps } from './document.ts';
import type { FileKinds } from './kinds.ts';
import { type ConfigError, showPath, showValue, sortErrors, suggest } from './report.ts';
import { fileOf, pluginList, type RawFile } from './schema.ts';
import { namerdFileOf, type RawNamerd } from './schema-namerd.ts';

/** A good config, with what its author should know. */
export interface Loaded<C = Config> {
  readonly config: C;
  readonly warnings: readonly ConfigError[];
  /** The file as it was written: what `/config.json` shows. It names key files and holds no key; tokens are hidden. */
  readonly raw: unknown;
  /** The line of a place such as `routers[0].servers[1]`; `undefined`: nothing stands there. */
  readonly lineOf: (place: string) => number | undefined;
}

const stepsOf = (context: Context): Steps =>
  context.slice(1).map(({ key }, i) => (Array.isArray(context[i]?.actual) ? Number(key) : key));

const describe = ({ value, context, message }: ValidationError): string => {
  const last = context.at(-1);
  if (message?.startsWith(UNKNOWN_KEY) === true)
    return `unknown key${suggest(last?.key ?? '', message.slice(UNKNOWN_KEY.length).split(' '))}`;
  const wanted = message ?? last?.type.name ?? 'something else';
  const words = wanted.startsWith('one of ') ? wanted.slice('one of '.length).split(', ') : [];
  const hint = typeof value === 'string' ? suggest(value, words) : '';
  return `expected ${wanted}, got ${showValue(value)}${hint}`;
};

const explain =
  (source: Source) =>
  (error: ValidationError): ConfigError => {
    const steps = stepsOf(error.context);
    const isKey = error.message?.startsWith(UNKNOWN_KEY) === true;
    const place = isKey ? source.placeOfKey(steps) : source.placeOf(steps);
    return { ...place, path: showPath(steps), message: describe(error) };
  };

const located =
  (source: Source) =>
  ({ steps, message, at }: Build['errors'][number]): ConfigError => ({
    ...(at === undefined ? source.placeOf(steps) : source.placeWithin(steps, at)),
    path: showPath(steps),
    message,
  });

const HIDDEN = '…';

/** The same value without what stands in keys that hold a secret itself, not the name of its file. */
const withoutSecrets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'token' && typeof one === 'string' ? HIDDEN : withoutSecrets(one),
    ]),
  );
};

/** A kind of file: how it is read, and what is made of it. */
export interface FileKind<R, C> {
  /** The format, with what plugins add to it. */
  readonly codec: (kinds: FileKinds) => Codec<R>;
  readonly build: (raw: R, files: Files) => Build<C>;
}

/** What linkerd-tcp itself runs on. */
export const ROUTERS: FileKind<RawFile, Config> = { codec: fileOf, build };

/** What `linkerd-tcp namerd` runs on. */
export const NAMERD: FileKind<RawNamerd, NamerdConfig> = {
  codec: namerdFileOf,
  build: buildNamerd,
};

const PLACE = /^[A-Za-z]+(?:\[\d+\]|\.[A-Za-z]+)+$/;

const stepsIn = (place: string): Steps =>
  [...place.matchAll(/[A-Za-z]+|\d+/g)].map(([step]) => (/^\d/.test(step) ? Number(step) : step));

/** The plugins that a file names; what else may be wrong there is found by its codec. */
export const modulesOf = (value: unknown): readonly string[] => {
  const named = pluginList.decode(isRecord(value) ? value['plugins'] : []);
  return isLeft(named) ? [] : named.right;
};

/**
 * Loads a file: YAML or JSON. The files that it names are read and checked too.
 * Errors: all of them together, by place.
 */
export const loadFile = <R, C>(
  text: string,
  { codec, build: make }: FileKind<R, C>,
  files: Files,
): Either<readonly ConfigError[], Loaded<C>> => {
  const parsed = parseSource(text);
  if (isLeft(parsed)) return left(sortErrors(parsed.left));
  const source = parsed.right;
  const plugins = files.plugins(modulesOf(source.value));
  const absent = plugins.errors.map(({ index, message }) => ({
    steps: ['plugins', index],
    message,
  }));
  // Without them nobody knows what the rest of the file means.
  if (absent.length > 0) return left(sortErrors(absent.map(located(source))));
  const decoded = codec(plugins.kinds).decode(source.value);
  if (isLeft(decoded)) return left(sortErrors(decoded.left.map(explain(source))));
  const { config, errors, warnings } = make(decoded.right, files);
  if (errors.length > 0) return left(sortErrors(errors.map(located(source))));
  return right({
    config,
    warnings: sortErrors(warnings.map(located(source))),
    raw: withoutSecrets(source.value),
    lineOf: (place) => (PLACE.test(place) ? source.lineOf(stepsIn(place)) : undefined),
  });
};

/** Loads what linkerd-tcp itself runs on. */
export const loadConfig = (text: string, files: Files): Either<readonly ConfigError[], Loaded> =>
  loadFile(text, ROUTERS, files);
