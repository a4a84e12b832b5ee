/** What all routers of a process share: tables, budgets, metrics, listeners, and how routers get at them. */
import { EMPTY, finalize, type Observable, tap } from 'rxjs';
import type { MetricSources } from './admin/gauges.ts';
import { type Metrics, makeMetrics } from './admin/metrics.ts';
import { showDst } from './config/build-identify.ts';
import type { Config, InterpreterConfig } from './config/config.ts';
import { logEvent, logSockets } from './connection-log.ts';
import { Directory } from './directory.ts';
import { BufferBudget } from './duplex/budget.ts';
import { tellEnds } from './ends.ts';
import type { Env } from './env.ts';
import type { RouterEvent } from './event.ts';
import { type Explained, explainName } from './interpreter/explain.ts';
import { makeInterpreter } from './interpreter/make.ts';
import { makeNamings } from './interpreter/namings.ts';
import { makeWatchGate } from './interpreter/watch-gate.ts';
import { Listeners } from './listeners.ts';
import type { Path } from './path.ts';
import { type Plant, refuseClient } from './plant.ts';
import { makeIdentifier, makeLoadBalancer, makeOperator } from './plugins/make.ts';
import { Recorder } from './recorder/recorder.ts';
import type { RouterContext } from './router.ts';
import { Clients } from './server/clients.ts';
import { keepTableAhead } from './server/descriptor-table.ts';
import { Descriptors } from './server/descriptors.ts';
import { connectionDescriptors } from './server/fd-limit.ts';
import type { MakeIdentifier } from './server/identify.ts';
import { serve } from './server/serve.ts';
import { makeSockets } from './socket/sockets.ts';
import { makeStreams } from './streams.ts';
import { makeTimers } from './timers.ts';
import type { World } from './world.ts';

/** One per process. */
export interface Machine {
  readonly listeners: Listeners;
  readonly directory: Directory;
  readonly metrics: Metrics;
  readonly recorder: Recorder;
  readonly context: RouterContext;
  readonly explain: Explain;
  /** Applies what a config says of the process as a whole. */
  readonly configure: (config: Config) => void;
  /** Nothing listens from now on; streams go on. */
  readonly stop: (config: Config) => void;
  /** Cuts every stream: the grace is over. */
  readonly cut: (config: Config) => void;
}

type Serve = RouterContext['serve'];

/** Serves what the listeners have bound, and has the directory know it while it listens. */
const makeServe = (
  parts: { readonly plant: Plant; readonly listeners: Listeners; readonly directory: Directory },
  config: () => Config,
  env: Env,
): Serve => {
  const { plant, listeners, directory } = parts;
  let lastId = 0;
  const nextId = (): number => ++lastId;
  const identifier: MakeIdentifier = (rule) => makeIdentifier(rule, env);
  const bufferSizeBytes = (): number => config().bufferSizeBytes;
  return (server$, { rt, key }) => {
    const listener = listeners.claim(key);
    if (listener === undefined) return EMPTY;
    const { srv } = listener;
    let dstName = '';
    const leave = directory.addServer({ rt, srv, dstName: () => dstName });
    const known$ = server$.pipe(
      tap((server) => {
        dstName = showDst(server.identify);
      }),
      finalize(leave),
    );
    return serve(listener, known$, {
      deps: { ...plant, rt, bufferSizeBytes, nextId, identifier },
      env,
    });
  };
};

/** Streams are cut; those that wait are turned away for the same reason, and their balancers find them gone. */
const makeCut =
  (plant: Plant, { log }: Env) =>
  ({ admin: { graceSecs } }: Config): void => {
    const { clients } = plant;
    if (clients.size > 0)
      log('warn', 'the grace is over, cutting what still streams', { connections: clients.size });
    const rule = { limit: `${graceSecs * 1000}ms`, place: 'admin.graceSecs' };
    for (const { id: conn } of clients.waiting())
      refuseClient(plant, { conn, reason: 'shutdown', attempts: 0, rule: () => rule });
    clients.abort({ reason: 'shutdown', by: 'proxy', ...rule });
  };

/** Nothing listens from now on; streams go on. */
const makeStop =
  ({ clients }: Plant, listeners: Listeners, { log }: Env) =>
  ({ admin: { graceSecs } }: Config): void => {
    log('info', 'shutting down', { connections: clients.size, graceSecs });
    listeners.retire();
  };

/** How a router’s names are resolved. */
export type Interpret = RouterContext['interpret'];

/** Where events go: they are counted, and those that have a line are logged. */
export const makeReport =
  (
    metrics: Metrics,
    { log }: Env,
    heard?: MachineOptions['heard'],
  ): ((event: RouterEvent) => void) =>
  (event) => {
    metrics.record(event);
    logEvent(log, event);
    heard?.(event);
  };

/** Explains a name to who asks: one answer within seconds. Errors: none. */
export type Explain = (config: InterpreterConfig, path: Path) => Observable<Explained>;

/** The interpreters that the config names, and what explains their names. Their watches count as descriptors. */
export const makeInterpret = (
  report: (event: RouterEvent) => void,
  descriptors: Descriptors,
  env: Env,
): { readonly interpret: Interpret; readonly explain: Explain } => {
  const gate = makeWatchGate(descriptors);
  const namings = makeNamings(env);
  return {
    interpret: (config, rt) => makeInterpreter(config, { rt, report, gate, namings }, env),
    explain: (config, path) => explainName(config, { path, namings }, env),
  };
};

/** What a router does with clients that no balancer has. */
const clientCalls = (
  plant: Plant,
): Pick<RouterContext, 'refuse' | 'watchClient' | 'revise' | 'waiting'> => {
  const { clients } = plant;
  return {
    refuse: (dismissal) => refuseClient(plant, dismissal),
    watchClient: (id, departed) => clients.watch(id, departed),
    revise: (envelope) => clients.revise(envelope),
    waiting: (rt, dst) =>
      clients.waiting().flatMap((one) => (one.rt === rt && one.dst === dst ? [one.id] : [])),
  };
};

const lookAt = (
  directory: Directory,
  budget: BufferBudget,
  recorder: Recorder,
): Pick<MetricSources, 'names' | 'servers' | 'bufferedBytes' | 'recorder'> => ({
  names: () => directory.names(),
  servers: () => directory.servers(),
  bufferedBytes: () => budget.held,
  recorder: () => recorder.gauges(),
});

/** What may be different from what the config says. */
export interface MachineOptions {
  /** Replaces the interpreters that the config names. */
  readonly interpret?: Interpret;
  /** Also gets all that happens; must not throw. */
  readonly heard?: (event: RouterEvent) => void;
  /** The process is for this alone: its table of descriptors is kept ahead, for which files are opened. */
  readonly isAlone?: boolean;
}

const makeDescriptors = (isAlone: boolean, soon: (task: () => void) => void): Descriptors => {
  const descriptors = new Descriptors(connectionDescriptors());
  return isAlone ? keepTableAhead(descriptors, soon) : descriptors;
};

const makeConfigure = (
  { sockets, budget }: Plant,
  recorder: Recorder,
  env: Env,
): Machine['configure'] => {
  let isFirst = true;
  return ({ maxBufferedBytes, recorder: wanted }) => {
    // Not before: only a config says how the log looks.
    if (isFirst) logSockets(env.log, sockets.kind);
    isFirst = false;
    budget.max = maxBufferedBytes;
    recorder.configure(wanted);
  };
};

/** Makes the machine. `config` gives the config in force. */
export const makeMachine = (
  config: () => Config,
  { env, logDropped, turn }: World,
  { interpret, heard, isAlone = false }: MachineOptions = {},
): Machine => {
  const timers = makeTimers(env.scheduler);
  const soon = (task: () => void): void => void turn().then(task);
  const descriptors = makeDescriptors(isAlone, soon);
  const clients = new Clients();
  const budget = new BufferBudget(config().maxBufferedBytes, timers);
  const sockets = makeSockets({ timers, soon, account: budget });
  const directory = new Directory(clients, timers.now);
  const recorder = new Recorder(timers);
  const listeners = new Listeners({ sockets, descriptors, env });
  const metrics = makeMetrics({
    ...lookAt(directory, budget, recorder),
    logDropped,
    maxNameSeries: () => config().admin.maxNameSeries,
  });
  const { report, ended } = tellEnds(makeReport(metrics, env, heard));
  const plant: Plant = { sockets, clients, descriptors, budget, timers, report };
  const { interpret: own, explain } = makeInterpret(report, descriptors, env);
  const context: RouterContext = {
    timers,
    report,
    directory,
    recorder,
    operator: makeOperator,
    loadBalancer: (its) => makeLoadBalancer(its, env),
    ended,
    serve: makeServe({ plant, listeners, directory }, config, env),
    interpret: interpret ?? own,
    streams: (name) => makeStreams(plant, name),
    ...clientCalls(plant),
  };
  return {
    listeners,
    directory,
    metrics,
    recorder,
    context,
    explain,
    cut: makeCut(plant, env),
    configure: makeConfigure(plant, recorder, env),
    stop: makeStop(plant, listeners, env),
  };
};
