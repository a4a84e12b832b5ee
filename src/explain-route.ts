/** Why a connection is routed as it is: from the server that it comes to, to the endpoint that it would get. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { mergeMap, type Observable, of } from 'rxjs';
import { parseAddress } from './address.ts';
import type { ClientPolicy, Config, RouterConfig, ServerConfig } from './config/config.ts';
import { clientPolicy } from './config/policy.ts';
import type { Explained } from './interpreter/explain.ts';
import type { Explain } from './machine.ts';
import { compilePrefix, type Path } from './path.ts';
import { explainServer, type ServerExplained } from './server/explain.ts';
import type { MakeIdentifier } from './server/identify.ts';
import type { NameView, NextView } from './view.ts';
import { whyNot } from './why-not.ts';

/** A connection as somebody thinks of it. */
export interface RouteQuestion {
  /** Port of the server, or its address. */
  readonly server: string;
  readonly source: string;
  readonly sni: string | undefined;
  readonly alpn: readonly string[];
  /** An endpoint that it should have got. */
  readonly whyNot: string | undefined;
}

/** What is known of a running daemon. */
export interface Live {
  readonly name: (rt: string, dst: string) => Promise<NameView | undefined>;
  readonly next: (rt: string, dst: string) => NextView | undefined;
}

/** The line of the file at which something stands; `undefined`: it is no place of the file. */
export type LineOf = (place: string) => number | undefined;

/** A limit that will apply, and where it is configured. */
export interface LimitExplained {
  readonly key: string;
  readonly value: unknown;
  /** Absent: it is the default. */
  readonly place?: string;
  readonly line?: number;
}

/** The whole way. */
export interface RouteExplained extends Omit<ServerExplained, 'identified'> {
  readonly router: string;
  /** Where the server stands in the file. */
  readonly server: string;
  /** Absent: no rule holds. */
  readonly dst?: Path;
  /** What it goes through before its name is looked up, and what may change that. */
  readonly operators: readonly { readonly kind: string; readonly place: string }[];
  readonly limits: readonly LimitExplained[];
  /** How the name is delegated, or why that cannot be told. */
  readonly delegation?: Explained;
  /** Of a running daemon: the balancer of the name, if it has one. */
  readonly live?: NameView;
  /** Of a running daemon: what the next connection would meet. */
  readonly next?: NextView;
  readonly whyNot?: readonly string[];
}

/** Limits of servers, by their keys in the file. */
const SERVER_LIMITS = {
  connectTimeoutMs: 'connectTimeoutMs',
  connectionLifetimeSecs: 'connectionLifetimeMs',
  idleTimeoutMs: 'idleTimeoutMs',
  halfCloseTimeoutMs: 'halfCloseTimeoutMs',
  maxConcurrency: 'maxConcurrency',
} as const satisfies Readonly<Record<string, keyof ServerConfig>>;

const CLIENT_LIMITS = [
  'connectTimeoutMs',
  'maxWaiters',
  'emptyWaitMs',
  'failFast',
  'requeueBudget',
  'loadBalancer',
  'minConnections',
] as const satisfies readonly (keyof ClientPolicy)[];

const isSet = ({ value }: LimitExplained): boolean => value !== Number.POSITIVE_INFINITY;

/** One that does not stand in the file is the default. */
const limitAt = (key: string, value: unknown, place: string, lineOf: LineOf): LimitExplained => {
  const line = lineOf(place);
  return line === undefined ? { key, value } : { key, value, place, line };
};

const limitsOf = (
  { client }: RouterConfig,
  server: ServerConfig,
  dst: Path | undefined,
  lineOf: LineOf,
): readonly LimitExplained[] => {
  const own = Object.entries(SERVER_LIMITS).map(([key, of]) =>
    limitAt(`server.${of}`, server[of], `${server.place}.${key}`, lineOf),
  );
  if (dst === undefined) return own.filter(isSet);
  const policy = clientPolicy(client, dst);
  const blocks = client.filter(({ prefix }) => compilePrefix(prefix)(dst) !== undefined);
  const ours = CLIENT_LIMITS.map((key) => {
    const last = blocks.filter(({ settings }) => settings[key] !== undefined).at(-1);
    return limitAt(`client.${key}`, policy[key], `${last?.place}.${key}`, lineOf);
  });
  return [...own, ...ours].filter(isSet);
};

interface Found {
  readonly router: RouterConfig;
  readonly server: ServerConfig;
}

const find = ({ routers }: Config, wanted: string): Either<string, Found> => {
  const all = routers.flatMap((router) => router.servers.map((server) => ({ router, server })));
  const found = all.find(
    ({ server: { address } }) => `${address.port}` === wanted || address.text === wanted,
  );
  if (found !== undefined) return right(found);
  const known = all.map(({ server }) => server.address.port).join(', ');
  return left(`expected the port of a server, one of ${known}, got "${wanted}"`);
};

/** What an explanation is made with. */
export interface ExplainParts {
  readonly explain: Explain;
  readonly identifier: MakeIdentifier;
  readonly lineOf: LineOf;
  /** Absent: nothing runs. */
  readonly live?: Live;
}

/** The way through the configuration, without what names are. */
const explainStatic = (
  { router, server }: Found,
  question: RouteQuestion,
  { identifier, lineOf }: Pick<ExplainParts, 'identifier' | 'lineOf'>,
): RouteExplained => {
  const { ip, port } = parseAddress(question.source) ?? { ip: question.source, port: 0 };
  const { sni, alpn } = question;
  const localPort = server.address.port;
  const source = {
    ip,
    port,
    localPort,
    alpn,
    ...(sni === undefined ? {} : { sni: sni.toLowerCase() }),
  };
  const { identified, ...rest } = explainServer(server, source, identifier);
  const operators = router.operators.map(({ by, place }) => ({ kind: by, place }));
  const common = { router: router.label, server: server.place, operators, ...rest };
  const limits = limitsOf(router, server, identified?.dst, lineOf);
  return identified === undefined
    ? { ...common, limits }
    : { ...common, dst: identified.dst, limits };
};

/** Explains a connection: one answer within seconds. `Left`: what is wrong with the question. Errors: none. */
export const explainRoute = (
  config: Config,
  question: RouteQuestion,
  parts: ExplainParts,
): Observable<Either<string, RouteExplained>> => {
  const found = find(config, question.server);
  if (isLeft(found)) return of(found);
  const { router } = found.right;
  const known = explainStatic(found.right, question, parts);
  const { dst } = known;
  if (dst === undefined) return of(right(known));
  return parts.explain(router.interpreter, dst).pipe(
    mergeMap(async (delegation) => {
      const more = await liveOf(parts.live, { rt: known.router, dst });
      const whole = { ...known, delegation, ...more };
      return right(
        question.whyNot === undefined
          ? whole
          : { ...whole, whyNot: whyNot(question.whyNot, whole) },
      );
    }),
  );
};

const liveOf = async (
  live: Live | undefined,
  { rt, dst }: { readonly rt: string; readonly dst: Path },
): Promise<Pick<RouteExplained, 'live' | 'next'>> => {
  const name = await live?.name(rt, dst);
  const next = live?.next(rt, dst);
  return {
    ...(name === undefined ? {} : { live: name }),
    ...(next === undefined ? {} : { next }),
  };
};
