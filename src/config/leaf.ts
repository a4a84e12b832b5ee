/** Codecs of single values. Pure. */
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Codec } from './codec.ts';

/** What JSON Schema knows of a single value: `{ type: 'integer', minimum: 1 }`. */
export type Hint = Readonly<Record<string, unknown>>;

const NO_HINT: Hint = {};

/** A single value. */
export class LeafCodec<A> extends t.Type<A, unknown, unknown> {
  readonly hint: Hint;

  constructor(name: string, validate: t.Validate<unknown, A>, hint: Hint) {
    super(
      name,
      (_: unknown): _ is A => false,
      validate,
      (value) => value,
    );
    this.hint = hint;
  }
}

/** A single value; `read` gives it, or `undefined` where what is there is not as `name` says. */
export const leaf = <A>(
  name: string,
  read: (value: unknown) => A | undefined,
  hint = NO_HINT,
): Codec<A> =>
  new LeafCodec(
    name,
    (value, context) => {
      const known = read(value);
      return known === undefined ? t.failure(value, context) : t.success(known);
    },
    hint,
  );

/** A single value that explains itself: `Left` is the text after “expected”. */
export const parsed = <A>(name: string, read: (text: string) => Either<string, A>): Codec<A> =>
  new LeafCodec(
    name,
    (value, context) => {
      if (typeof value !== 'string') return t.failure(value, context);
      const result = read(value);
      return isLeft(result) ? t.failure(value, context, result.left) : t.success(result.right);
    },
    { type: 'string' },
  );
