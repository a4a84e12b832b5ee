/** What a plugin gets that is a function: the parts that a module beside a configuration could not import. */
import * as t from 'io-ts';
import * as rxjs from 'rxjs';
import { makeAddress, parseAddress } from '../address.ts';
import { absent, list, object, oneOrMore, optional, required } from '../config/codec.ts';
import { parsed, leaf as single } from '../config/leaf.ts';
import * as values from '../config/values.ts';
import { EMPTY, FAIL, leaf, NEG } from '../dtab/name-tree.ts';
import { kindOf } from '../operators/kind.ts';
import { refuse } from '../operators/operator.ts';
import { by, dst, ipOf, isFor, keyOf } from '../operators/scope.ts';

/** Codecs of options: they know their keys, defaults and meanings, which stand in the JSON Schema then. */
const codecs = {
  object,
  required,
  optional,
  absent,
  list,
  oneOrMore,
  single,
  parsed,
  values,
} as const;

/** The kit. */
export const KIT = {
  /** All of RxJS. */
  rxjs,
  /** All of io-ts. */
  t,
  codecs,
  /** Makes a kind from a codec and a function of what the codec reads. */
  kind: kindOf,
  refuse,
  /** The options `dst` and `by` of the operators that come along, and what they mean. */
  scope: { by, dst, ipOf, isFor, keyOf },
  makeAddress,
  parseAddress,
  /** Trees of names, for namers. */
  trees: { leaf, NEG, EMPTY, FAIL },
} as const;

/** What a plugin gets. */
export type PluginKit = typeof KIT;
