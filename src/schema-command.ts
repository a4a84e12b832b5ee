/** The command `schema`: the format of a file, for editors. */
import { readFileSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { SchemaOf } from './cli.ts';
import type { Codec } from './config/codec.ts';
import { parseSource } from './config/document.ts';
import { filesBeside, readReason } from './config/files.ts';
import { schemaText } from './config/json-schema.ts';
import type { FileKinds } from './config/kinds.ts';
import { modulesOf } from './config/load.ts';
import { NO_PLUGINS } from './config/plugins.ts';
import { fileOf } from './config/schema.ts';
import { namerdFileOf } from './config/schema-namerd.ts';
import { scenario } from './simulate/schema.ts';

const FORMATS: Readonly<Record<SchemaOf, (kinds: FileKinds) => Codec<unknown>>> = {
  config: fileOf,
  namerd: namerdFileOf,
  scenario: () => scenario,
};

/** What the plugins of a file add to its format. Errors: a line each. */
const kindsOf = (file: string): Either<readonly string[], FileKinds> => {
  try {
    const source = parseSource(readFileSync(file, 'utf8'));
    if (isLeft(source)) return left([`${file}: expected YAML or JSON; see --check`]);
    const { kinds, errors } = filesBeside(file).plugins(modulesOf(source.right.value));
    return errors.length > 0
      ? left(errors.map(({ index, message }) => `${file}: plugins[${index}]: ${message}`))
      : right(kinds);
  } catch (error) {
    return left([`cannot read ${file}: ${readReason(error)}`]);
  }
};

/** The JSON Schema of a file, with what the plugins of `config` add to it. Errors: a line each. */
export const schemaFor = (
  of: SchemaOf,
  config: string | undefined,
): Either<readonly string[], string> => {
  const kinds = config === undefined ? right(NO_PLUGINS.kinds) : kindsOf(config);
  return isLeft(kinds) ? kinds : right(schemaText(FORMATS[of](kinds.right), `linkerd-tcp: ${of}`));
};
