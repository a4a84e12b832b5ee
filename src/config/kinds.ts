/** Kinds that plugins add to the format of the file. Pure. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import {
  type Codec,
  type Decoded,
  type Fields,
  isRecord,
  type ObjectCodec,
  object,
  TaggedCodec,
} from './codec.ts';

/** How the options of a kind are read, and the module that it comes from: absolute; absent: it comes along. */
export interface KindOptions {
  readonly codec: Codec<unknown>;
  readonly module?: string;
}

/** The options of each kind, by its name. */
export type OptionsByKind = ReadonlyMap<string, KindOptions>;

/** What a file may name beside what the format itself has. */
export interface FileKinds {
  readonly operators: OptionsByKind;
  readonly namers: OptionsByKind;
  readonly interpreters: OptionsByKind;
  readonly identifiers: OptionsByKind;
  readonly loadBalancers: OptionsByKind;
}

/** One of a plugin’s kinds: its options as they stand in the file, found good. Whoever makes it reads them again. */
export interface Custom {
  readonly kind: 'custom';
  readonly by: string;
  /** The plugin’s module, absolute; absent: the kind comes along. */
  readonly module?: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const failKind = (kind: unknown, kinds: readonly string[], context: t.Context) =>
  t.failure<never>(
    kind,
    t.appendContext(context, 'kind', t.string, kind),
    kinds.length === 0 ? 'none, since no plugin has one' : `one of ${kinds.join(', ')}`,
  );

/** Reads by a codec that is others’ code. */
const validateFenced = <A>(
  codec: Codec<A>,
  value: unknown,
  context: t.Context,
): t.Validation<A> => {
  try {
    return codec.validate(value, context);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return t.failure(
      value,
      context,
      `options that the plugin’s codec reads (it threw: ${message})`,
    );
  }
};

/** Two results as one, with the errors of both. */
const both = <A, B>(
  one: t.Validation<A>,
  other: t.Validation<B>,
): t.Validation<readonly [A, B]> => {
  if (isLeft(one)) return t.failures(isLeft(other) ? [...one.left, ...other.left] : one.left);
  return isLeft(other) ? other : right([one.right, other.right]);
};

/**
 * An object of one of several kinds: those of the format, or those of plugins. The keys of `own` are the format’s also in
 * the latter, and a plugin does not see them.
 */
export class OpenCodec<A, F extends Fields> extends t.Type<
  A | (Decoded<F> & Custom),
  unknown,
  unknown
> {
  readonly known: Codec<A> & {
    readonly members: Readonly<Record<string, Codec<object>>>;
    readonly fallback: string | undefined;
  };
  readonly others: OptionsByKind;
  readonly own: ObjectCodec<F>;

  constructor(
    known: OpenCodec<A, F>['known'],
    { others, own }: { readonly others: OptionsByKind; readonly own: F },
  ) {
    const ownKeys = object('an object', own);
    const validate: t.Validate<unknown, A | (Decoded<F> & Custom)> = (value, context) => {
      if (!isRecord(value)) return t.failure(value, context);
      const { kind, ...all } = value;
      const kinds = Object.keys(known.members);
      if (typeof kind === 'string' ? kinds.includes(kind) : kinds.length > 0)
        return known.validate(value, context);
      const found = typeof kind === 'string' ? others.get(kind) : undefined;
      if (typeof kind !== 'string' || found === undefined)
        return failKind(kind, [...kinds, ...others.keys()], context);
      const isOwn = ([key]: readonly [string, unknown]) => Object.hasOwn(own, key);
      const entries = Object.entries(all);
      const options = Object.fromEntries(entries.filter((entry) => !isOwn(entry)));
      const ours = ownKeys.validate(Object.fromEntries(entries.filter(isOwn)), context);
      const decoded = both(ours, validateFenced(found.codec, options, context));
      if (isLeft(decoded)) return decoded;
      const from = found.module === undefined ? {} : { module: found.module };
      return right({ ...decoded.right[0], kind: 'custom', by: kind, ...from, options });
    };
    super(
      known.name,
      (_: unknown): _ is A | (Decoded<F> & Custom) => false,
      validate,
      (value) => value,
    );
    this.known = known;
    this.others = others;
    this.own = ownKeys;
  }
}

/** The kinds of a file whose format has none of its own. */
export const NO_MEMBERS = new TaggedCodec('an object with kind', {});

/** A value of one of two forms: with the key `kind`, or without. */
export class KindedCodec<A, B> extends t.Type<A | B, unknown, unknown> {
  readonly plain: Codec<A>;
  readonly kinded: Codec<B>;

  constructor(plain: Codec<A>, kinded: Codec<B>) {
    super(
      plain.name,
      (_: unknown): _ is A | B => false,
      (value, context): t.Validation<A | B> =>
        isRecord(value) && 'kind' in value
          ? kinded.validate(value, context)
          : plain.validate(value, context),
      (value) => value,
    );
    this.plain = plain;
    this.kinded = kinded;
  }
}
