/** What a plugin is: a module that gives kinds of operators, namers, interpreters, identifiers and load balancers by their names. */
import type { LoadBalancer } from '../balancer/load-balancer.ts';
import type { Env } from '../env.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import type { Namer } from '../interpreter/namers/namer.ts';
import type { Kind, OperatorKind } from '../operators/kind.ts';
import type { Path } from '../path.ts';
import type { Source } from '../source.ts';
import type { PluginKit } from './kit.ts';

/** The version of this interface. It grows when what a plugin may do grows. */
export const INTERFACE = 1;

/** What namers, interpreters and identifiers may use of the world. */
export type PluginEnv = Pick<Env, 'scheduler' | 'random' | 'log'> & {
  /** Monotonic, in ms. */
  readonly now: () => number;
};

/** What a namer may use: the prefix of its names, `/#/com.example.shard`, stands before the ids that it gives. */
export interface NamerEnv extends PluginEnv {
  readonly prefix: Path;
}

/** Says where a connection goes; `undefined`: the next rule decides. Called for each connection: it must be quick. */
export type Identifier = (source: Source) => string | undefined;

/** What a plugin gives, each by its kind, such as `com.example.rateLimit`. `options` is a codec of io-ts. */
export interface PluginKinds {
  readonly operators: OperatorKind;
  readonly namers: Kind<Namer, NamerEnv>;
  readonly interpreters: Kind<Interpreter, PluginEnv>;
  readonly identifiers: Kind<Identifier, PluginEnv>;
  /** They get nothing of the world: time and chance come with each choice. */
  readonly loadBalancers: Kind<LoadBalancer, undefined>;
}

/** The sections of a plugin. */
export const SECTIONS = [
  'operators',
  'namers',
  'interpreters',
  'identifiers',
  'loadBalancers',
] as const;

/** A section of a plugin. */
export type Section = (typeof SECTIONS)[number];

/** All kinds that a module gives. */
export type KindMaps = { readonly [S in Section]: ReadonlyMap<string, PluginKinds[S]> };

/** A plugin: the default export of its module. */
export interface Plugin {
  /** The version of the interface that it was written for: 1. */
  readonly api: number;
  readonly operators?: Readonly<Record<string, PluginKinds['operators']>>;
  readonly namers?: Readonly<Record<string, PluginKinds['namers']>>;
  readonly interpreters?: Readonly<Record<string, PluginKinds['interpreters']>>;
  readonly identifiers?: Readonly<Record<string, PluginKinds['identifiers']>>;
  readonly loadBalancers?: Readonly<Record<string, PluginKinds['loadBalancers']>>;
}

/** The default export may also be a function, which gets what a module beside a configuration cannot import. */
export type PluginModule = Plugin | ((kit: PluginKit) => Plugin);
