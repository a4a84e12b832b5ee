/** A kind of thing that a configuration may name: its options as a codec, and how it is made. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Codec } from '../config/codec.ts';
import type { MakeOperator, Operator, OperatorEnv } from './operator.ts';

/** A kind of operator, namer, …: what `make` gets has been read by `options`. */
export interface Kind<T, E> {
  /** Reads the options, and says what is wrong with them. */
  readonly options: Codec<unknown>;
  /** Errors: throws where the options are not good, and what the thing itself throws. */
  readonly make: (options: unknown, env: E) => T;
}

/** A kind of operator. */
export type OperatorKind = Kind<Operator, OperatorEnv>;

/** Makes a kind from a codec and a function of what the codec reads. */
export const kindOf = <O, T, E>(
  options: Codec<O>,
  make: (options: O, env: E) => T,
): Kind<T, E> => ({
  options,
  make: (raw, env) => {
    const decoded = options.decode(raw);
    if (isLeft(decoded)) throw new Error('the options are not good');
    return make(decoded.right, env);
  },
});

/** Makes a kind of operator. */
export const operatorKind = <O>(options: Codec<O>, make: MakeOperator<O>): OperatorKind =>
  kindOf(options, make);
