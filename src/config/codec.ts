/** Building blocks of the file format: io-ts codecs that know their fields, defaults and meanings. Pure. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

/** Decodes what a file may hold into an `A`; it is never used to encode. */
export type Codec<A> = t.Decoder<unknown, A>;

/** What a codec decodes to. */
export type Of<C> = C extends Codec<infer A> ? A : never;

/** One key of an object. */
export interface Field<A> {
  readonly codec: Codec<A>;
  /** What it means, one sentence for the table of keys. */
  readonly doc: string;
  /** What holds where the key is absent; `undefined` in itself: the key is required. */
  readonly fallback: { readonly value: A } | undefined;
  /** The default as the table shows it. */
  readonly shown: string;
}

/** The keys of an object. */
export type Fields = Readonly<Record<string, Field<unknown>>>;
/** What an object decodes to. */
export type Decoded<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer A> ? A : never;
};

/** A required key. */
export const required = <A>(codec: Codec<A>, doc: string): Field<A> => ({
  codec,
  doc,
  fallback: undefined,
  shown: 'required',
});

/** A key with a default. */
export const optional = <A>(codec: Codec<A>, value: A, doc: string): Field<A> => ({
  codec,
  doc,
  fallback: { value },
  shown: `\`${JSON.stringify(value)}\``,
});

/** A key that may be absent. `shown` says what absence means. */
export const absent = <A>(codec: Codec<A>, shown: string, doc: string): Field<A | undefined> => ({
  codec,
  doc,
  fallback: { value: undefined },
  shown,
});

/** Whether a value is an object with keys. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Marks an error about a key that does not exist; the message lists those that do. */
export const UNKNOWN_KEY = 'unknown key; known: ';

/** An object with these keys and no others. All errors of all keys are reported. */
export class ObjectCodec<F extends Fields> extends t.Type<Decoded<F>, unknown, unknown> {
  readonly fields: F;

  constructor(name: string, fields: F) {
    const validate: t.Validate<unknown, Decoded<F>> = (value, context) => {
      if (!isRecord(value)) return t.failure(value, context);
      const errors: t.ValidationError[] = Object.keys(value)
        .filter((key) => !Object.hasOwn(fields, key))
        .map((key) => ({
          value: value[key],
          context: t.appendContext(context, key, t.never, value[key]),
          message: UNKNOWN_KEY + Object.keys(fields).join(' '),
        }));
      const decoded: Record<string, unknown> = {};
      for (const [key, { codec, fallback }] of Object.entries(fields)) {
        const isThere = Object.hasOwn(value, key) && value[key] !== undefined;
        if (!isThere && fallback !== undefined) {
          decoded[key] = fallback.value;
          continue;
        }
        const result = codec.validate(value[key], t.appendContext(context, key, codec, value[key]));
        if (isLeft(result)) errors.push(...result.left);
        else decoded[key] = result.right;
      }
      return errors.length > 0 ? t.failures(errors) : right(decoded as Decoded<F>);
    };
    super(
      name,
      (_: unknown): _ is Decoded<F> => false,
      validate,
      (value) => value,
    );
    this.fields = fields;
  }
}

/** A closed object. */
export const object = <F extends Fields>(name: string, fields: F): ObjectCodec<F> =>
  new ObjectCodec(name, fields);

type Tagged<M extends Readonly<Record<string, Codec<object>>>> = {
  readonly [K in keyof M]: { readonly kind: K } & Of<M[K]>;
}[keyof M];

/** One of several objects, told apart by the key `kind`; errors are about the chosen one only. */
export class TaggedCodec<M extends Readonly<Record<string, Codec<object>>>> extends t.Type<
  Tagged<M>,
  unknown,
  unknown
> {
  readonly members: M;
  /** The kind where none is said. */
  readonly fallback: string | undefined;

  constructor(name: string, members: M, fallback?: string) {
    const validate: t.Validate<unknown, Tagged<M>> = (value, context) => {
      if (!isRecord(value)) return t.failure(value, context);
      const { kind = fallback, ...rest } = value;
      const member =
        typeof kind === 'string' && Object.hasOwn(members, kind) ? members[kind] : undefined;
      if (member === undefined) {
        const kinds = Object.keys(members).join(', ');
        return t.failure(kind, t.appendContext(context, 'kind', t.string, kind), `one of ${kinds}`);
      }
      const result = member.validate(rest, context);
      return isLeft(result) ? result : right({ ...result.right, kind } as Tagged<M>);
    };
    super(
      name,
      (_: unknown): _ is Tagged<M> => false,
      validate,
      (value) => value,
    );
    this.members = members;
    this.fallback = fallback;
  }
}

/** Keys that are chosen by the user, with values of one kind. */
export class MapCodec<A> extends t.Type<ReadonlyMap<string, A>, unknown, unknown> {
  readonly value: Codec<A>;

  constructor(name: string, value: Codec<A>) {
    const validate: t.Validate<unknown, ReadonlyMap<string, A>> = (given, context) => {
      if (!isRecord(given)) return t.failure(given, context);
      const decoded = new Map<string, A>();
      const errors: t.ValidationError[] = [];
      for (const [key, item] of Object.entries(given)) {
        const result = value.validate(item, t.appendContext(context, key, value, item));
        if (isLeft(result)) errors.push(...result.left);
        else decoded.set(key, result.right);
      }
      return errors.length > 0 ? t.failures(errors) : right(decoded);
    };
    super(
      name,
      (_: unknown): _ is ReadonlyMap<string, A> => false,
      validate,
      (map) => map,
    );
    this.value = value;
  }
}

/** A list of values of one kind. */
export class ListCodec<A> extends t.Type<readonly A[], unknown, unknown> {
  readonly item: Codec<A>;

  constructor(item: Codec<A>) {
    const validate: t.Validate<unknown, readonly A[]> = (given, context) => {
      if (!Array.isArray(given)) return t.failure(given, context);
      const decoded: A[] = [];
      const errors: t.ValidationError[] = [];
      for (const [i, value] of given.entries()) {
        const result = item.validate(value, t.appendContext(context, String(i), item, value));
        if (isLeft(result)) errors.push(...result.left);
        else decoded.push(result.right);
      }
      return errors.length > 0 ? t.failures(errors) : right(decoded);
    };
    super(
      'a list',
      (_: unknown): _ is readonly A[] => false,
      validate,
      (value) => value,
    );
    this.item = item;
  }
}

/** One value, or a list of them. */
export class OneOrMoreCodec<A> extends t.Type<readonly A[], unknown, unknown> {
  readonly item: Codec<A>;

  constructor(item: Codec<A>) {
    const several = new ListCodec(item);
    super(
      `${item.name}, or a list of them`,
      (_: unknown): _ is readonly A[] => false,
      (value, context) => {
        if (Array.isArray(value)) return several.validate(value, context);
        const one = item.validate(value, context);
        return isLeft(one) ? one : right([one.right]);
      },
      (value) => value,
    );
    this.item = item;
  }
}

/** One value, or a list of them; a list of one is the same. */
export const oneOrMore = <A>(item: Codec<A>): Codec<readonly A[]> => new OneOrMoreCodec(item);

/** A list. */
export const list = <A>(item: Codec<A>): Codec<readonly A[]> => new ListCodec(item);
