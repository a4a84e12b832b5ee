/**
 * The library: the parts of the router that may be used on their own. The pure balancer takes time and
 * chance as data; the operators take them from an `Env`.
 */

export { type Address, makeAddress, parseAddress, type WeightedAddress } from './address.ts';
export { app } from './app.ts';
export {
  type BalanceSetup,
  balance,
  type Outcome,
  type Ports,
  type Tell,
} from './balancer/balance.ts';
export type { Command, Event } from './balancer/messages.ts';
export { makeState, type State } from './balancer/state.ts';
export { isIdle, nextDue, step } from './balancer/step.ts';
export { type BinderSetup, bind } from './binder.ts';
export { CLOSE_REASONS, type Close, type CloseReason, showClose } from './close-reason.ts';
export type * from './config/config.ts';
export { DEFAULT_POLICY } from './config/policy.ts';
export { type LoadedFile, readConfig } from './config/read.ts';
export type { Dentry, Dtab } from './dtab/dtab.ts';
export { EMPTY, FAIL, leaf, type NameTree, NEG } from './dtab/name-tree.ts';
export { parseDtab, parseTree } from './dtab/parse.ts';
export { showDtab, showTree } from './dtab/print.ts';
export type { Env } from './env.ts';
export type { Envelope } from './envelope.ts';
export type { RouterEvent } from './event.ts';
export { makeDtabInterpreter } from './interpreter/dtab-interpreter.ts';
export { type DtabNaming, makeDtabNaming } from './interpreter/dtab-naming.ts';
export type { Interpreter, Resolution, Union } from './interpreter/interpreter.ts';
export { makeNamers } from './interpreter/namers/make.ts';
export type { Addr, Binding, Bound, NamedAddress, Namer } from './interpreter/namers/namer.ts';
export { makeRegistry, type Registered } from './interpreter/namers/registry.ts';
export { keyed } from './keyed.ts';
export { type Path, parsePath } from './path.ts';
export { type RouterContext, router } from './router.ts';
export { serialize } from './serialize.ts';
export { makeTimers, type Timers } from './timers.ts';
