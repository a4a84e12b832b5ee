/** Why a connection is routed as it is: from the server that it comes to, to the endpoint that it would get. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { mergeMap, type Observable, of } from 'rxjs';
import { parseAddress } from './address.ts';
import type { ClientPolicy, Config, RouterConfig, ServerConfig } from './config/config.ts';
import { clientPolicy } from './config/policy.ts';
import { dnsName } from './dns-name.ts';
import type { Explained } from './interpreter/explain.ts';
import { canonicalIp } from './ip.ts';
import type { Explain } from './machine.ts';
import { compilePrefix, type Path } from './path.ts';
import { explainServer, type ServerExplained } from './server/explain.ts';
import type { MakeIdentifier } from './server/identify.ts';
import type { Source } from './source.ts';
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
  /** What of the question does not count. */
  readonly notes: readonly string[];
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

/** By port, by address, or by place in the file: that of a server on any free port. */
const find = ({ routers }: Config, wanted: string): Either<string, Found> => {
  const all = routers.flatMap((router) => router.servers.map((server) => ({ router, server })));
  const found = all.filter(({ server: { address, place } }) =>
    [`${address.port}`, address.text, place].includes(wanted),
  );
  const [one] = found;
  if (one !== undefined && found.length === 1) return right(one);
  const isAmbiguous = found.length > 1;
  const known = (isAmbiguous ? found : all).map(({ server: { address, place } }) => {
    if (address.port === 0) return place;
    return isAmbiguous ? address.text : `${address.port}`;
  });
  return left(`expected the port of a server, one of ${known.join(', ')}, got "${wanted}"`);
};

/** A connection as the server sees it, and what of the question it does not see. */
interface Seen {
  readonly source: Source;
  readonly notes: readonly string[];
}

/** The names by which a client asks, where the server looks at them. */
const namesSeen = (
  { tls, peek, proxyProtocol }: ServerConfig,
  { sni, alpn }: RouteQuestion,
): Pick<Source, 'sni' | 'alpn'> | undefined => {
  if (tls === undefined && peek === undefined && proxyProtocol === undefined) return undefined;
  const name = sni === undefined ? undefined : dnsName(sni);
  // Of a handshake the one that is agreed on, which the server chooses.
  const agreed = tls?.alpnProtocols.find((protocol) => alpn.includes(protocol));
  const all = tls === undefined ? alpn : [agreed].filter((one) => one !== undefined);
  return { alpn: all, ...(name === undefined ? {} : { sni: name }) };
};

const see = (server: ServerConfig, question: RouteQuestion): Either<string, Seen> => {
  const { source: text, sni, alpn } = question;
  const { ip, port } = parseAddress(text) ?? { ip: canonicalIp(text), port: 0 };
  if (ip === undefined)
    return left(`expected --source with an IP address, or one with its port, got "${text}"`);
  if (sni !== undefined && dnsName(sni) === undefined)
    return left(`expected --sni with a host name, got "${sni}"`);
  const names = namesSeen(server, question);
  const isAsked = sni !== undefined || alpn.length > 0;
  const notes =
    names === undefined && isAsked
      ? ['the server neither ends TLS nor peeks: it sees no server name and no protocol']
      : [];
  const source = { ip, port, localPort: server.address.port, ...(names ?? { alpn: [] }) };
  return right({ source, notes });
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
  { source, notes }: Seen,
  { identifier, lineOf }: Pick<ExplainParts, 'identifier' | 'lineOf'>,
): RouteExplained => {
  const { identified, ...rest } = explainServer(server, source, identifier);
  const operators = router.operators.map(({ by, place }) => ({ kind: by, place }));
  const common = { router: router.label, server: server.place, operators, notes, ...rest };
  const limits = limitsOf(router, server, identified?.dst, lineOf);
  return identified === undefined
    ? { ...common, limits }
    : { ...common, dst: identified.dst, limits };
};

const withWhyNot = (explained: RouteExplained, { whyNot: asked }: RouteQuestion): RouteExplained =>
  asked === undefined ? explained : { ...explained, whyNot: whyNot(asked, explained) };

/** Explains a connection: one answer within seconds. `Left`: what is wrong with the question. Errors: none. */
export const explainRoute = (
  config: Config,
  question: RouteQuestion,
  parts: ExplainParts,
): Observable<Either<string, RouteExplained>> => {
  const found = find(config, question.server);
  if (isLeft(found)) return of(found);
  const { router, server } = found.right;
  const seen = see(server, question);
  if (isLeft(seen)) return of(seen);
  const known = explainStatic(found.right, seen.right, parts);
  const { dst } = known;
  if (dst === undefined) return of(right(withWhyNot(known, question)));
  return parts.explain(router.interpreter, dst).pipe(
    mergeMap(async (delegation) => {
      const more = await liveOf(parts.live, { rt: known.router, dst });
      return right(withWhyNot({ ...known, delegation, ...more }, question));
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
