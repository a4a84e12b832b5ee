/** One router: its servers’ connections merged, the operators, the binder, and a balancer per name. */
import { isDeepStrictEqual } from 'node:util';
import {
  distinctUntilChanged,
  filter,
  finalize,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  skip,
  switchMap,
  take,
  tap,
} from 'rxjs';
import { balance, type Ports, type Status } from './balancer/balance.ts';
import type { MakeLoadBalancer } from './balancer/load-balancer.ts';
import type { State } from './balancer/state.ts';
import { bind } from './binder.ts';
import type {
  InterpreterConfig,
  OperatorConfig,
  RouterConfig,
  ServerConfig,
} from './config/config.ts';
import { clientPolicy } from './config/policy.ts';
import type { Directory } from './directory.ts';
import type { Env } from './env.ts';
import type { Envelope } from './envelope.ts';
import type { RouterEvent, ServerEvent } from './event.ts';
import type { Interpreter } from './interpreter/interpreter.ts';
import { keyed, replayed } from './keyed.ts';
import { operate } from './operators/chain.ts';
import type { Ended, Operator, OperatorEnv } from './operators/operator.ts';
import type { Path } from './path.ts';
import type { Dismissal } from './plant.ts';
import type { Recorder, Track } from './recorder/recorder.ts';
import type { NameSetup } from './streams.ts';
import type { Timers } from './timers.ts';

/** What a router needs from the app around it. */
export interface RouterContext {
  readonly timers: Timers;
  readonly report: (event: RouterEvent) => void;
  /** Hears of routers and names as they come; what it gives lets them go. */
  readonly directory: Pick<Directory, 'addName' | 'addRouter'>;
  /** Absent: nothing is recorded. */
  readonly recorder?: Pick<Recorder, 'came' | 'open'>;
  /** Makes an operator; may throw. */
  readonly operator: (config: OperatorConfig, env: OperatorEnv) => Operator;
  /** Makes a load balancer of a plugin; must not throw. */
  readonly loadBalancer: MakeLoadBalancer;
  /** Connections of a router as they end. */
  readonly ended: (rt: string) => Observable<Ended>;
  /** Runs one server for as long as its configs come. */
  readonly serve: (server$: Observable<ServerConfig>, server: ServerId) => Observable<ServerEvent>;
  readonly interpret: (config: InterpreterConfig, rt: string) => Interpreter;
  /** Makes the deeds of one name’s balancer. */
  readonly streams: (name: NameSetup) => Ports;
  /** Turns away a client that is with no balancer. */
  readonly refuse: (dismissal: Dismissal) => void;
  /** Calls back if a client goes away before it is dispatched. */
  readonly watchClient: (id: number, departed: (detail: string) => void) => void;
  /** An operator has changed what is known of a connection. */
  readonly revise: (envelope: Envelope) => void;
  /** Who waits for a name. */
  readonly waiting: (rt: string, dst: Path) => readonly number[];
}

/** A server’s identity: its router, and its address in the file. */
export interface ServerId {
  readonly rt: string;
  readonly key: string;
}

/** Identity of a server within its router; those on port 0 are told apart by their place. */
export const serverKey = ({ address, place }: ServerConfig): string =>
  address.port === 0 ? `${address.text} ${place}` : address.text;

/** What the names of one router share. */
interface Shared {
  readonly rt: string;
  readonly latest: () => RouterConfig;
  readonly config$: Observable<RouterConfig>;
  readonly interpreter$: Observable<Interpreter>;
  readonly context: RouterContext;
}

/** The balancer of one name, on real sockets. It keeps its last good set when the interpreter changes. */
const balanceName = (
  shared: Shared,
  dst: Path,
  env: Env,
): ((status: (status: Status) => void) => OperatorFunction<Envelope, never>) => {
  const { rt, latest, config$, interpreter$, context } = shared;
  const { directory, recorder, timers, loadBalancer } = context;
  let policy = clientPolicy(latest().client, dst);
  const policy$ = config$.pipe(
    map(({ client }) => clientPolicy(client, dst)),
    distinctUntilChanged((a, b) => isDeepStrictEqual(a, b)),
    skip(1),
    tap((changed) => {
      policy = changed;
    }),
  );
  const resolution$ = interpreter$.pipe(switchMap((interpreter) => interpreter.resolve(dst)));
  const ports = context.streams({ rt, dst, policy: () => policy });
  return (status) => (envelope$) => {
    let leave = (): void => undefined;
    let track: Track | undefined;
    const opened = (state: State): void => {
      leave = directory.addName(rt, dst, state);
      track = recorder?.open(rt, dst, state);
    };
    const noted: Track['note'] = (event, commands) => track?.note(event, commands);
    const setup = {
      policy,
      policy$,
      resolution$,
      ports,
      timers,
      status,
      opened,
      noted,
      loadBalancer,
    };
    return balance(
      setup,
      env,
    )(envelope$).pipe(
      finalize(() => {
        leave();
        track?.end();
      }),
    );
  };
};

const noRule = () => ({});

/** Turns away whoever waits for a name whose balancer broke. */
const clearName = ({ rt, context }: Shared, dst: Path): void => {
  for (const conn of context.waiting(rt, dst)) {
    context.refuse({ conn, reason: 'internal', attempts: 0, rule: noRule });
  }
};

const bindNames = (shared: Shared, env: Env): OperatorFunction<Envelope, never> => {
  const { rt, latest, context } = shared;
  const { timers, report } = context;
  return bind({
    timers,
    limits: () => latest().bindingCache,
    balance: (dst, status) => balanceName(shared, dst, env)(status),
    refuse: ({ id }) => {
      report({ t: 'unrouted', rt });
      const { paths } = latest().bindingCache;
      const rule = () => ({ limit: `${paths}`, place: `${latest().place}.bindingCache.paths` });
      context.refuse({ conn: id, reason: 'too-many-names', attempts: 0, rule });
    },
    found: (dst, how) => report({ t: 'routed', rt, dst, ...how }),
    named: (dst) => report({ t: 'named', rt, dst }),
    unnamed: (dst) => report({ t: 'unnamed', rt, dst }),
    broken: (dst, error) => {
      env.log('error', 'balancer broke', { rt, dst, error: String(error) });
      clearName(shared, dst);
    },
  });
};

const isArrival = (event: ServerEvent): event is Extract<ServerEvent, { t: 'arrived' }> =>
  event.t === 'arrived';

/** The reasons of a refusal say all; no limit of the file stands behind them. */
const operateOn = (
  { rt, config$, context }: Shared,
  env: Env,
): OperatorFunction<Envelope, Envelope> =>
  operate(
    {
      rt,
      timers: context.timers,
      operators$: config$.pipe(map(({ operators }) => operators)),
      make: context.operator,
      ended$: context.ended(rt),
      watch: context.watchClient,
      refuse: ({ id, reason, detail }) =>
        context.refuse({ conn: id, reason, detail, attempts: 0, rule: noRule }),
      revised: context.revise,
      tell: (event) => context.report({ rt, ...event }),
      ...(context.recorder === undefined ? {} : { through: context.recorder.came }),
    },
    env,
  );

/**
 * Runs one router for as long as its configs come, and until its last stream has ended after that.
 * `config$` replays its latest value. Servers come and go with it; balancers stay.
 * Emits nothing: what happens goes to `context.report`. Errors: only a fault of our own.
 */
export const router = (
  config$: Observable<RouterConfig>,
  context: RouterContext,
  env: Env,
): Observable<never> =>
  config$.pipe(
    // The first config opens the router; the later ones are followed from inside.
    take(1),
    mergeMap((first) => {
      const rt = first.label;
      let latest = first;
      const interpreter$ = config$.pipe(
        map(({ interpreter }) => interpreter),
        distinctUntilChanged((a, b) => isDeepStrictEqual(a, b)),
        map((config) => context.interpret(config, rt)),
        replayed(),
      );
      const shared: Shared = { rt, latest: () => latest, config$, interpreter$, context };
      return config$.pipe(
        tap((config) => {
          latest = config;
        }),
        map(({ servers }) => servers),
        keyed(serverKey, (server$, key) => context.serve(server$, { rt, key })),
        tap((event) => context.report(event)),
        filter(isArrival),
        map(({ envelope }) => envelope),
        operateOn(shared, env),
        bindNames(shared, env),
        finalize(context.directory.addRouter(rt)),
      );
    }),
  );
