/** The format of a file as JSON Schema, for editors; made from the codecs that read it. Pure. */
import * as t from 'io-ts';
import {
  type Codec,
  type Field,
  ListCodec,
  MapCodec,
  ObjectCodec,
  OneOrMoreCodec,
  TaggedCodec,
} from './codec.ts';
import { KindedCodec, OpenCodec } from './kinds.ts';
import { LeafCodec } from './leaf.ts';
import { MappedCodec, ShapeCodec } from './shape.ts';

/** A schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Defaults are known as they are read; only those that are written the same are shown. */
const defaultOf = ({ codec, fallback }: Field<unknown>): JsonSchema => {
  const value = fallback?.value;
  if (!(codec instanceof LeafCodec)) return {};
  const { type = '' } = codec.hint;
  const isSame =
    typeof value === 'number'
      ? (type === 'integer' || type === 'number') && Number.isFinite(value)
      : typeof value === type;
  return isSame ? { default: value } : {};
};

const fieldSchema = (field: Field<unknown>): JsonSchema => {
  const { codec, doc, fallback, shown } = field;
  const text = fallback === undefined ? '' : ` Default: ${shown.replaceAll('`', '')}.`;
  return { ...schemaOf(codec), ...defaultOf(field), description: `${doc}${text}` };
};

/** Which kind it is, and whether that must be said. */
interface KindOf {
  readonly kind: string;
  readonly isFallback: boolean;
}

const objectSchema = (
  fields: Readonly<Record<string, Field<unknown>>>,
  of?: KindOf,
): JsonSchema => {
  const entries = Object.entries(fields);
  const required = entries.filter(([, { fallback }]) => fallback === undefined).map(([key]) => key);
  const properties = Object.fromEntries(entries.map(([key, field]) => [key, fieldSchema(field)]));
  return {
    type: 'object',
    properties: of === undefined ? properties : { kind: { const: of.kind }, ...properties },
    required: of === undefined || of.isFallback ? required : ['kind', ...required],
    additionalProperties: false,
  };
};

/** One kind of several, with the keys that the format itself has for it. */
const kindSchema = (
  of: KindOf,
  codec: Codec<unknown>,
  own: Readonly<Record<string, Field<unknown>>> = {},
): JsonSchema => {
  if (codec instanceof ObjectCodec) return objectSchema({ ...codec.fields, ...own }, of);
  const { properties, required, ...rest } = schemaOf(codec);
  return {
    ...rest,
    type: 'object',
    properties: { kind: { const: of.kind }, ...(typeof properties === 'object' ? properties : {}) },
    required: ['kind', ...(Array.isArray(required) ? required : [])],
  };
};

type Members = Readonly<Record<string, Codec<object>>>;

const membersSchema = ({
  members,
  fallback,
}: {
  readonly members: Members;
  readonly fallback: string | undefined;
}): readonly JsonSchema[] =>
  Object.entries(members).map(([kind, member]) =>
    kindSchema({ kind, isFallback: kind === fallback }, member),
  );

const openSchema = ({
  known,
  others,
  own,
}: OpenCodec<unknown, Readonly<Record<string, Field<unknown>>>>): JsonSchema => ({
  oneOf: [
    ...membersSchema(known),
    ...[...others].map(([kind, { codec }]) =>
      kindSchema({ kind, isFallback: false }, codec, own.fields),
    ),
  ],
});

/** Codecs of plain io-ts, which plugins may use. */
const plainSchema = (codec: Codec<unknown>): JsonSchema => {
  if (codec instanceof t.StringType) return { type: 'string' };
  if (codec instanceof t.NumberType) return { type: 'number' };
  if (codec instanceof t.BooleanType) return { type: 'boolean' };
  if (codec instanceof t.ArrayType) return { type: 'array', items: schemaOf(codec.type) };
  if (codec instanceof t.LiteralType) return { const: codec.value };
  if (codec instanceof t.KeyofType) return { enum: Object.keys(codec.keys) };
  if (codec instanceof t.ExactType || codec instanceof t.ReadonlyType) return schemaOf(codec.type);
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) {
    const entries: readonly (readonly [string, Codec<unknown>])[] = Object.entries(codec.props);
    const required = codec instanceof t.InterfaceType ? entries.map(([key]) => key) : [];
    const properties = Object.fromEntries(entries.map(([key, one]) => [key, schemaOf(one)]));
    return { type: 'object', properties, required };
  }
  if (codec instanceof t.UnionType || codec instanceof t.IntersectionType) {
    const types: readonly Codec<unknown>[] = codec.types;
    return { [codec instanceof t.UnionType ? 'anyOf' : 'allOf']: types.map(schemaOf) };
  }
  return { description: codec.name };
};

/** The schema of what a codec reads. What is not known of a plugin’s codec is left open. */
export const schemaOf = (codec: Codec<unknown>): JsonSchema => {
  if (codec instanceof LeafCodec) return codec.hint;
  if (codec instanceof ObjectCodec) return objectSchema(codec.fields);
  if (codec instanceof ListCodec) return { type: 'array', items: schemaOf(codec.item) };
  if (codec instanceof OneOrMoreCodec) {
    const item = schemaOf(codec.item);
    return { anyOf: [item, { type: 'array', items: item }] };
  }
  if (codec instanceof MapCodec)
    return { type: 'object', additionalProperties: schemaOf(codec.value) };
  if (codec instanceof TaggedCodec) return { oneOf: membersSchema(codec) };
  if (codec instanceof OpenCodec) return openSchema(codec);
  if (codec instanceof KindedCodec)
    return { anyOf: [schemaOf(codec.plain), schemaOf(codec.kinded)] };
  if (codec instanceof MappedCodec) return schemaOf(codec.inner);
  if (codec instanceof ShapeCodec) {
    const shapes: readonly Codec<unknown>[] = Object.values(codec.shapes);
    return { anyOf: shapes.map(schemaOf) };
  }
  return plainSchema(codec);
};

/** A whole file as a schema document, without a line break at the end. */
export const schemaText = (codec: Codec<unknown>, title: string): string =>
  JSON.stringify(
    { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schemaOf(codec) },
    null,
    2,
  );
