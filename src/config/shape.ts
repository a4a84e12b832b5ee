/** A value that may be a list, a text or an object, each with a meaning. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Codec, isRecord } from './codec.ts';

/** How each shape is read; a shape without a codec is wrong. */
export interface Shapes<A> {
  readonly list?: Codec<A>;
  readonly text?: Codec<A>;
  readonly object?: Codec<A>;
}

/** Reads a value by its shape; errors are about the shape that is there. */
export class ShapeCodec<A> extends t.Type<A, unknown, unknown> {
  readonly shapes: Shapes<A>;

  constructor(name: string, shapes: Shapes<A>) {
    const codecOf = (value: unknown): Codec<A> | undefined => {
      if (Array.isArray(value)) return shapes.list;
      return isRecord(value) ? shapes.object : shapes.text;
    };
    super(
      name,
      (_: unknown): _ is A => false,
      (value, context) =>
        codecOf(value)?.validate(value, context) ?? t.failure<A>(value, context, name),
      (value) => value,
    );
    this.shapes = shapes;
  }
}

/** A codec whose value is made into another. */
export const mapped = <A, B>(codec: Codec<A>, make: (value: A) => B): Codec<B> =>
  new MappedCodec(codec, make);

/** What `mapped` gives: `inner` says what stands in the file. */
export class MappedCodec<A, B> extends t.Type<B, unknown, unknown> {
  readonly inner: Codec<A>;

  constructor(inner: Codec<A>, make: (value: A) => B) {
    super(
      inner.name,
      (_: unknown): _ is B => false,
      (value, context) => {
        const read = inner.validate(value, context);
        return isLeft(read) ? read : t.success(make(read.right));
      },
      (value) => value,
    );
    this.inner = inner;
  }
}
