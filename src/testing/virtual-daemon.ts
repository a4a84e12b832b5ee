/** The production pipeline of a config, on a clock, a network and names that a test or a scenario sets. */
import type { Observable } from 'rxjs';
import { app } from '../app.ts';
import type { Config, OperatorConfig } from '../config/config.ts';
import { Directory } from '../directory.ts';
import { tellEnds } from '../ends.ts';
import type { Env } from '../env.ts';
import type { RouterEvent } from '../event.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { Operator, OperatorEnv } from '../operators/operator.ts';
import type { Path } from '../path.ts';
import { makeIdentifier, makeLoadBalancer, makeOperator } from '../plugins/make.ts';
import { Recorder } from '../recorder/recorder.ts';
import type { RouterContext } from '../router.ts';
import { Clients } from '../server/clients.ts';
import { makeTimers } from '../timers.ts';
import { Network } from './network.ts';
import { Plane } from './plane.ts';
import { VirtualPorts } from './virtual-ports.ts';
import { type Arrival, VirtualServers } from './virtual-servers.ts';

/** What the world is like. */
export interface VirtualSetup {
  readonly config$: Observable<Config>;
  /** What is known of a name; subscribed as an interpreter’s answer is. */
  readonly resolve: (name: Path, rt: string) => Observable<Resolution>;
  /** Gets all that happens. */
  readonly report: (event: RouterEvent) => void;
  /** Operators that stand in for those of the config; `undefined`: that of the config. */
  readonly operator?: (config: OperatorConfig, env: OperatorEnv) => Operator | undefined;
}

/** A daemon without sockets. */
export interface VirtualDaemon {
  /** Subscribe to run it; ends as the app does, when the configs have ended and the last stream has. */
  readonly run$: Observable<never>;
  readonly network: Network;
  /** Lets somebody come to the server at a place of the file; `false`: nobody listens there. */
  readonly arrive: (place: string, arrival: Arrival) => boolean;
  readonly directory: Directory;
  /** Off until it is configured. */
  readonly recorder: Recorder;
  /** Clients that are here, waiting or streaming. */
  readonly clients: () => number;
}

/** Makes it. Routers, operators, binders and balancers are those of production; sockets, names and time are not. */
export const makeVirtualDaemon = (setup: VirtualSetup, env: Env): VirtualDaemon => {
  const timers = makeTimers(env.scheduler);
  const network = new Network();
  const { report, ended } = tellEnds(setup.report);
  const plane = new Plane(timers, network, report);
  const servers = new VirtualServers({
    plane,
    identifier: (rule) => makeIdentifier(rule, env),
    env,
  });
  const directory = new Directory(new Clients(), timers.now);
  const recorder = new Recorder(timers);
  const context: RouterContext = {
    timers,
    report,
    directory,
    recorder,
    operator: (config, its) => setup.operator?.(config, its) ?? makeOperator(config, its),
    loadBalancer: (its) => makeLoadBalancer(its, env),
    ended,
    watchClient: (id, departed) => plane.watch(id, departed),
    revise: (envelope) => plane.revise(envelope),
    serve: servers.serve,
    interpret: (_, rt) => ({ resolve: (name) => setup.resolve(name, rt) }),
    streams: (name) => new VirtualPorts(plane, name),
    refuse: (dismissal) => plane.refuse(dismissal),
    waiting: (rt, dst) => plane.waiting(rt, dst),
  };
  return {
    run$: app(setup.config$, context, env),
    network,
    arrive: (place, arrival) => servers.arrive(place, arrival),
    directory,
    recorder,
    clients: () => plane.size,
  };
};
