/** The table of config keys, made from the codecs that read them. Pure. */
import { type Codec, type Field, ListCodec, MapCodec, ObjectCodec, TaggedCodec } from './codec.ts';
import { KindedCodec, OpenCodec } from './kinds.ts';
import { NO_PLUGINS } from './plugins.ts';
import { fileOf } from './schema.ts';
import { namerdFileOf } from './schema-namerd.ts';
import { MappedCodec, ShapeCodec } from './shape.ts';

/** One key of the file. */
export interface ConfigRow {
  /** Such as `routers[].servers[].port`. */
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly doc: string;
}

const fieldsOf = (codec: ObjectCodec<Readonly<Record<string, Field<unknown>>>>, key: string) =>
  Object.entries(codec.fields).flatMap(([name, field]) => rowsOf(field, `${key}${name}`));

/** What a value may be by its `kind`; none: it has no such key. */
const membersOf = (codec: Codec<unknown>): readonly (readonly [string, Codec<unknown>])[] => {
  if (codec instanceof TaggedCodec) return Object.entries<Codec<unknown>>(codec.members);
  if (!(codec instanceof OpenCodec)) return [];
  const others = [...codec.others].map(([kind, { codec: one }]) => [kind, one] as const);
  return [...Object.entries<Codec<unknown>>(codec.known.members), ...others];
};

/** The rows below a value that is at `key`. */
const below = (codec: Codec<unknown>, key: string): readonly ConfigRow[] => {
  if (codec instanceof ObjectCodec) return fieldsOf(codec, key === '' ? '' : `${key}.`);
  if (codec instanceof ListCodec) return below(codec.item, `${key}[]`);
  if (codec instanceof MapCodec) return below(codec.value, `${key}.*`);
  if (codec instanceof KindedCodec) return below(codec.plain, key);
  if (codec instanceof MappedCodec) return below(codec.inner, key);
  if (codec instanceof ShapeCodec)
    return Object.values(codec.shapes).flatMap((one) => below(one, key));
  return membersOf(codec).flatMap(([kind, member]) => below(member, `${key}(${kind})`));
};

const typeOf = (codec: Codec<unknown>): string => {
  if (codec instanceof ListCodec) return `list: ${typeOf(codec.item)}`;
  if (codec instanceof MapCodec) return `map: ${typeOf(codec.value)}`;
  const members = membersOf(codec);
  if (members.length > 0) return `kind: ${members.map(([kind]) => kind).join(' or ')}`;
  return codec instanceof ObjectCodec ? 'object' : codec.name;
};

const rowsOf = ({ codec, doc, shown }: Field<unknown>, key: string): readonly ConfigRow[] => [
  { key, type: typeOf(codec), fallback: shown, doc },
  ...below(codec, key),
];

/** Every key of a file, in its order. */
export const tableOf = (codec: Codec<unknown>): readonly ConfigRow[] => below(codec, '');

/** Every key of linkerd-tcp’s own file. */
export const configTable = (): readonly ConfigRow[] => tableOf(fileOf(NO_PLUGINS.kinds));

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Rows as Markdown, without a line break at the end. */
export const markdown = (rows: readonly ConfigRow[]): string =>
  [
    '| key | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ key, type, fallback, doc }) =>
        `| \`${key}\` | ${cell(type)} | ${cell(fallback)} | ${cell(doc)} |`,
    ),
  ].join('\n');

/** The same as Markdown, without a line break at the end. */
export const configMarkdown = (): string => markdown(configTable());

/** Every key of the file of `linkerd-tcp namerd` as Markdown; namers are in the other table. */
export const namerdMarkdown = (): string =>
  markdown(
    tableOf(namerdFileOf(NO_PLUGINS.kinds)).filter(({ key }) => !key.startsWith('namers[]')),
  );
