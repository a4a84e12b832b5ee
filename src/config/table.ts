/** The table of config keys, made from the codecs that read them. Pure. */
import { type Codec, type Field, ListCodec, MapCodec, ObjectCodec, TaggedCodec } from './codec.ts';
import { file } from './schema.ts';
import { namerdFile } from './schema-namerd.ts';

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

/** The rows below a value that is at `key`. */
const below = (codec: Codec<unknown>, key: string): readonly ConfigRow[] => {
  if (codec instanceof ObjectCodec) return fieldsOf(codec, key === '' ? '' : `${key}.`);
  if (codec instanceof ListCodec) return below(codec.item, `${key}[]`);
  if (codec instanceof MapCodec) return below(codec.value, `${key}.*`);
  if (!(codec instanceof TaggedCodec)) return [];
  const members: readonly (readonly [string, Codec<object>])[] = Object.entries(codec.members);
  return members.flatMap(([kind, member]) => below(member, `${key}(${kind})`));
};

const typeOf = (codec: Codec<unknown>): string => {
  if (codec instanceof ListCodec) return `list: ${typeOf(codec.item)}`;
  if (codec instanceof MapCodec) return `map: ${typeOf(codec.value)}`;
  if (codec instanceof TaggedCodec) return `kind: ${Object.keys(codec.members).join(' or ')}`;
  return codec instanceof ObjectCodec ? 'object' : codec.name;
};

const rowsOf = ({ codec, doc, shown }: Field<unknown>, key: string): readonly ConfigRow[] => [
  { key, type: typeOf(codec), fallback: shown, doc },
  ...below(codec, key),
];

/** Every key of a file, in its order. */
const tableOf = (codec: Codec<unknown>): readonly ConfigRow[] => below(codec, '');

/** Every key of linkerd-tcp’s own file. */
export const configTable = (): readonly ConfigRow[] => tableOf(file);

const cell = (text: string): string => text.replaceAll('|', '\\|');

const markdown = (rows: readonly ConfigRow[]): string =>
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
  markdown(tableOf(namerdFile).filter(({ key }) => !key.startsWith('namers[]')));
