/**
 * The library: routers inside one’s own process (`runRouters`), and their parts on their own. The pure balancer (`step`) takes
 * time and chance as data; the operators (`balance`, `bind`, `router`) take them from an `Env`. What stands here follows semver.
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
export type { Candidate, LoadBalancer, MakeLoadBalancer, Pool } from './balancer/load-balancer.ts';
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
export { type EmbedSetup, runRouters } from './embed.ts';
export type { Env } from './env.ts';
export type { Envelope } from './envelope.ts';
export type { ConnectionRecord, RouterEvent } from './event.ts';
export { makeDtabInterpreter } from './interpreter/dtab-interpreter.ts';
export { type DtabNaming, makeDtabNaming } from './interpreter/dtab-naming.ts';
export type { Interpreter, Resolution, Union } from './interpreter/interpreter.ts';
export { makeNamers } from './interpreter/namers/make.ts';
export type { Addr, Binding, Bound, NamedAddress, Namer } from './interpreter/namers/namer.ts';
export { makeRegistry, type Registered } from './interpreter/namers/registry.ts';
export { keyed } from './keyed.ts';
export { kindOf, type OperatorKind } from './operators/kind.ts';
export {
  type Ended,
  type MakeOperator,
  type Operator,
  type OperatorEnv,
  type Refusal,
  refuse,
} from './operators/operator.ts';
export { type Path, parsePath } from './path.ts';
export type { PluginKit } from './plugins/kit.ts';
export type { Identifier, NamerEnv, Plugin, PluginEnv, PluginModule } from './plugins/plugin.ts';
export { type RouterContext, router } from './router.ts';
export { serialize } from './serialize.ts';
export { makeTimers, type Timers } from './timers.ts';
