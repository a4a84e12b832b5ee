/** A router in a marble test: the production pipeline of a configuration, on names and endpoints that diagrams set. */
import {
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { type Address, makeAddress, parseAddress } from '../address.ts';
import type { OperatorConfig } from '../config/config.ts';
import { logOperator } from '../connection-log.ts';
import type { Env } from '../env.ts';
import type { OperatorEvent, RouterEvent } from '../event.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import type { Operator, OperatorEnv } from '../operators/operator.ts';
import type { Path } from '../path.ts';
import { type Behaviour, HEALTHS } from './network.ts';
import { loadUnopened } from './unopened.ts';
import { makeVirtualDaemon } from './virtual-daemon.ts';
import type { Arrival } from './virtual-servers.ts';

/** What a name is: endpoints by their names, or a resolution. */
export type Said = readonly string[] | Resolution;

/** One endpoint: its health as a row (`u 5s r 1s u`), or all of it. */
export type EndpointSetup =
  | string
  | (Partial<Omit<Behaviour, 'health'>> & { readonly address?: string; readonly health?: string });

/** What a router is tested with. */
export interface RoutingSetup {
  /** What each name is, always or as a `cold` Observable tells; others do not exist. */
  readonly names: Readonly<Record<string, readonly string[] | Observable<Said>>>;
  /** Endpoints by names of their own; those that are not here are addresses, and well. */
  readonly endpoints?: Readonly<Record<string, EndpointSetup>>;
  /** Operators that stand in for kinds of the configuration. */
  readonly operators?: Readonly<Record<string, (env: OperatorEnv) => Operator>>;
  /** The test is over after so long: `1m` unless told. */
  readonly until?: string;
}

/** Somebody who comes; what is not said is some client that stays for a second. */
export type Comer = Partial<Arrival> & {
  /** The server’s place in the file: `routers[0].servers[0]` unless told. */
  readonly server?: string;
};

/** A router that runs. What it tells are endpoints by their names, names, or reasons. */
export interface Routing {
  /** Lets clients come. */
  readonly arrive: (comer$: Observable<Comer>) => void;
  /** All that happens. */
  readonly event$: Observable<RouterEvent>;
  /** Names that are looked up; how long, `m.subs` tells of a `cold`. */
  readonly lookedUp$: Observable<string>;
  readonly dialed$: Observable<string>;
  readonly dispatched$: Observable<string>;
  /** Why connections got no endpoint. */
  readonly refused$: Observable<string>;
  /** Endpoints that were put aside, and that came back. */
  readonly failed$: Observable<string>;
  readonly restored$: Observable<string>;
  /** Why streams ended. */
  readonly ended$: Observable<string>;
}

/** What a marble test gives. */
export interface Diagrams {
  readonly env: Env;
  readonly time: (diagram: string) => number;
  readonly marks: (row: string) => readonly { readonly at: number; readonly key: unknown }[];
  /** A mistake of the test, found while it runs: it fails with that. */
  readonly mistaken: (error: Error) => void;
}

const COMER: Arrival = { source: '192.0.2.1:40000', lastsMs: 1000 };

const NOWHERE = makeAddress('0.0.0.0', 1);

/** Endpoints by name, those without an address of their own at one that nobody else has. */
class Endpoints {
  readonly #addresses = new Map<string, Address>();
  readonly #names = new Map<string, string>();

  readonly #mistaken: Diagrams['mistaken'];

  constructor(endpoints: Readonly<Record<string, EndpointSetup>>, mistaken: Diagrams['mistaken']) {
    this.#mistaken = mistaken;
    for (const [i, [name, setup]] of Object.entries(endpoints).entries()) {
      const text = typeof setup === 'string' ? undefined : setup.address;
      const address = parseAddress(text ?? name) ?? makeAddress(`10.0.0.${i + 1}`, 80);
      this.#addresses.set(name, address);
      this.#names.set(address.text, name);
    }
  }

  address(name: string): Address {
    const address = this.#addresses.get(name) ?? parseAddress(name);
    if (address !== undefined) return address;
    this.#mistaken(new Error(`no endpoint is called ${name}`));
    return NOWHERE;
  }

  readonly name = (address: string): string => this.#names.get(address) ?? address;

  resolution(said: Said): Resolution {
    if ('t' in said) return said;
    const endpoints = said.map((name) => ({ address: this.address(name), weight: 1 }));
    return { t: 'bound', endpoints };
  }
}

const healthOf = (
  setup: EndpointSetup,
  { env, marks }: Diagrams,
): Observable<Partial<Behaviour>> => {
  const { health = 'u', ...rest } = typeof setup === 'string' ? { health: setup } : setup;
  const changes = marks(health).map(({ at, key }) => {
    const how = HEALTHS[String(key)];
    if (how === undefined) throw new Error(`expected u, r, h, x or d in ${health}, got ${key}`);
    const change = { ...rest, health: how };
    return at === 0 ? of(change) : timer(at, env.scheduler).pipe(map(() => change));
  });
  return merge(...changes);
};

const only =
  <T extends RouterEvent['t']>(t: T) =>
  (event: RouterEvent): event is Extract<RouterEvent, { readonly t: T }> =>
    event.t === t;

const isFlaw = (event: RouterEvent): event is { readonly rt: string } & OperatorEvent =>
  event.t === 'broke' || event.t === 'strayed' || event.t === 'kept';

const isRefused = (
  event: RouterEvent,
): event is Extract<RouterEvent, { readonly t: 'ended' | 'rejected' }> =>
  event.t === 'rejected' || (event.t === 'ended' && event.record.endpoint === undefined);

const reasonOf = (event: Extract<RouterEvent, { readonly t: 'ended' | 'rejected' }>): string =>
  event.t === 'ended' ? event.record.close.reason : event.close.reason;

const told = (event$: Observable<RouterEvent>, { name }: Endpoints) => ({
  event$,
  dialed$: event$.pipe(
    filter(only('dialed')),
    map(({ endpoint }) => name(endpoint)),
  ),
  dispatched$: event$.pipe(
    filter(only('opened')),
    map(({ endpoint }) => name(endpoint)),
  ),
  refused$: event$.pipe(filter(isRefused), map(reasonOf)),
  failed$: event$.pipe(
    filter(only('failed')),
    map(({ endpoint }) => name(endpoint)),
  ),
  restored$: event$.pipe(
    filter(only('restored')),
    map(({ endpoint }) => name(endpoint)),
  ),
  ended$: event$.pipe(
    filter(only('ended')),
    filter(({ record }) => record.endpoint !== undefined),
    map(reasonOf),
  ),
});

/** Runs the routers of a configuration until the test is over. Errors: throws what is wrong with the configuration. */
export const startRouting = (
  config: string | object,
  setup: RoutingSetup,
  diagrams: Diagrams,
): Routing => {
  const { env, time } = diagrams;
  const { names, endpoints: setups = {}, operators = {}, until = '1m' } = setup;
  const endpoints = new Endpoints(setups, diagrams.mistaken);
  const event$ = new Subject<RouterEvent>();
  const lookedUp$ = new Subject<string>();
  const resolve = (name: Path): Observable<Resolution> => {
    lookedUp$.next(name);
    const said = names[name];
    if (said === undefined) return merge(of<Resolution>({ t: 'neg' }), NEVER);
    const said$: Observable<Said> = 'subscribe' in said ? said : merge(of(said), NEVER);
    return said$.pipe(map((one) => endpoints.resolution(one)));
  };
  const daemon = makeVirtualDaemon(
    {
      config$: merge(of(loadUnopened(config)), NEVER),
      resolve,
      report: (event) => {
        if (isFlaw(event)) logOperator(env.log, event);
        event$.next(event);
      },
      operator: ({ by }: OperatorConfig, its) => operators[by]?.(its),
    },
    env,
  );
  const over$ = timer(time(` ${until} |`), env.scheduler);
  const health$ = merge(
    ...Object.entries(setups).map(([name, one]) => {
      const { text } = endpoints.address(name);
      return healthOf(one, diagrams).pipe(tap((how) => daemon.network.set(text, how)));
    }),
  );
  merge(health$, daemon.run$).pipe(takeUntil(over$)).subscribe();
  const arrive = (comer$: Observable<Comer>): void => {
    const come = ({ server = 'routers[0].servers[0]', ...comer }: Comer): void => {
      if (!daemon.arrive(server, { ...COMER, ...comer }))
        diagrams.mistaken(new Error(`no server is at ${server} of the configuration`));
    };
    comer$.pipe(tap(come), takeUntil(over$)).subscribe();
  };
  return { ...told(event$, endpoints), lookedUp$, arrive };
};
