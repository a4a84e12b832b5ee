/** The configuration as the rest of the program sees it: total, checked, in plain readonly data. */
import type { Address, WeightedAddress } from '../address.ts';
import type { Dtab } from '../dtab/dtab.ts';
import type { Level } from '../log.ts';
import type { Path } from '../path.ts';
import type { LoadBalancerConfig, LoadBalancerSettings } from './balancer-config.ts';
import type { Custom } from './kinds.ts';
import type { NamerConfig } from './schema-namers.ts';
import type { ClientTlsPolicy, ServerTlsConfig } from './tls-config.ts';

export type * from './balancer-config.ts';
export type { Custom } from './kinds.ts';
export type { NamerConfig } from './schema-namers.ts';
export type * from './tls-config.ts';

/** A whole file. */
export interface Config {
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  /** Processes that serve; 0: this one alone. Read at the start only. */
  readonly workers: number | 'auto';
  /** Largest single read of a stream, and so what one direction may hold unwritten. */
  readonly bufferSizeBytes: number;
  /** Most bytes of all streams together, unwritten or leased to read into. */
  readonly maxBufferedBytes: number;
  readonly routers: readonly RouterConfig[];
  /** Absent: nothing is recorded. */
  readonly recorder?: RecorderConfig;
}

/** What is kept of what balancers were told and decided. */
export interface RecorderConfig {
  readonly minutes: number;
  /** Most memory that it takes. */
  readonly maxBytes: number;
  /** Addresses of clients are replaced by hashes. */
  readonly hashAddresses: boolean;
}

/** What of the log is written, and how. */
export interface LogConfig {
  readonly level: Level;
  readonly format: 'text' | 'json';
}

/** The admin server. */
export interface AdminConfig {
  readonly ip: string;
  readonly port: number;
  readonly graceSecs: number;
  /** Host names, beside IPs and `localhost`, under which the admin server may be addressed. */
  readonly hosts: readonly string[];
  /** Most names with series of their own in /metrics; the rest share one. */
  readonly maxNameSeries: number;
}

/** One router. */
export interface RouterConfig {
  readonly label: string;
  /** Where it stands in the file: `routers[0]`. */
  readonly place: string;
  readonly interpreter: InterpreterConfig;
  readonly servers: readonly ServerConfig[];
  /** First to last. */
  readonly operators: readonly OperatorConfig[];
  /** In the file's order; a later one wins per key. */
  readonly client: readonly ClientConfig[];
  readonly bindingCache: BindingCacheConfig;
}

/** One operator of a router. */
export interface OperatorConfig extends Custom {
  /** Where it stands in the file: `routers[0].operators[1]`. */
  readonly place: string;
  /** It does nothing; what it would have done is logged. */
  readonly isShadow: boolean;
}

/** How many names a router keeps, and how long. */
export interface BindingCacheConfig {
  /** Most names at one time. */
  readonly paths: number;
  /** A name unused for so long is let go. */
  readonly idleTtlSecs: number;
}

/** How names become addresses. */
export type InterpreterConfig = DefaultConfig | NamerdHttpConfig | StaticConfig | Custom;

/** The router’s own dtab, and the namers of the file. */
export interface DefaultConfig {
  readonly kind: 'default';
  readonly dtab: Dtab;
  readonly namers: readonly NamerConfig[];
}

/** namerd, over its HTTP API. */
export interface NamerdHttpConfig {
  readonly kind: 'io.l5d.namerd.http';
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly namespace: string;
  /** Seconds between polls; beside a watch, of the safety poll. */
  readonly periodSecs: number;
  /** Follow changes by a watch stream; `false`: only poll. */
  readonly watch: boolean;
  /** Follow the parts of a name one by one, so that connections can be divided among them by weight. */
  readonly weightedUnions: boolean;
  /** Most watches open at one time; what is beyond is polled in turn. */
  readonly maxWatches: number;
  /** Reconnect delays, growing and jittered. */
  readonly retry: { readonly baseSeconds: number; readonly maxSeconds: number };
}

/** Names that stand in the file itself. */
export interface StaticConfig {
  readonly kind: 'static';
  readonly names: ReadonlyMap<Path, readonly WeightedAddress[]>;
}

/** One server of a router. */
export interface ServerConfig {
  /** Where it stands in the file: `routers[0].servers[1]`. */
  readonly place: string;
  readonly address: Address;
  /** The first that holds says where a connection is routed. */
  readonly identify: readonly IdentifyRule[];
  readonly sources: SourceLists;
  readonly proxyProtocol?: ProxyProtocolConfig;
  readonly peek?: PeekConfig;
  /** Accept → outbound established; `Infinity` where switched off. */
  readonly connectTimeoutMs: number;
  readonly connectionLifetimeMs: number;
  /** The lifetime of each connection is longer by up to this share of it, 0..1. */
  readonly connectionLifetimeJitter: number;
  /** `Infinity`: no limit. */
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly resetLingerMs: number;
  readonly maxConcurrency: number;
  readonly tls?: ServerTlsConfig;
}

/** What must hold for a rule; a list holds when one of its values does. Names in lower case. */
export interface Conditions {
  /** Patterns, by labels. */
  readonly sni?: readonly string[];
  readonly alpn?: readonly string[];
  /** Addresses and networks. */
  readonly source?: readonly string[];
  readonly localPort?: readonly number[];
  /** Of a verified certificate. */
  readonly clientCert?: CertCondition;
}

/** What a certificate must say; patterns by labels (`cn`, `dns`) or segments (`uri`, `spiffe`), the rest exact. */
export interface CertCondition {
  readonly subject?: readonly string[];
  readonly cn?: readonly string[];
  readonly dns?: readonly string[];
  readonly uri?: readonly string[];
  readonly ip?: readonly string[];
  readonly spiffe?: readonly string[];
  readonly fingerprint?: readonly string[];
}

/** One rule of identification; one of a plugin has neither conditions nor a name. */
export type IdentifyRule = NamedRule | CustomRule;

/** A rule of a plugin. */
export interface CustomRule extends Custom {
  readonly place: string;
}

/** A rule that the file itself tells. */
export interface NamedRule {
  /** Where it stands in the file: `routers[0].servers[1].identify[2]`. */
  readonly place: string;
  readonly conditions: Conditions;
  /** A name, or a template of one: `/svc/{sni}`. */
  readonly dst: string;
}

/** Who may connect: `deny` wins, and an empty `allow` is everybody. */
export interface SourceLists {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Proxies in front, whose PROXY headers are believed. */
export interface ProxyProtocolConfig {
  readonly trust: readonly string[];
  readonly required: boolean;
  readonly timeoutMs: number;
}

/** How a ClientHello is read. */
export interface PeekConfig {
  readonly timeoutMs: number;
}

/** One client block: the keys that it sets, for the names that its prefix matches. */
export interface ClientConfig {
  readonly prefix: string;
  /** Where it stands in the file; absent: in none. */
  readonly place?: string;
  readonly settings: ClientSettings;
}

/**
 * Of a policy only what was set; later blocks win key by key, also inside `failFast` and `requeueBudget`. Of `loadBalancer` the
 * later one wins, but that without `load` keeps that of the earlier.
 */
export type ClientSettings = Partial<
  Omit<ClientPolicy, 'failFast' | 'requeueBudget' | 'loadBalancer'>
> & {
  readonly loadBalancer?: LoadBalancerSettings;
  readonly failFast?: Partial<ClientPolicy['failFast']>;
  readonly requeueBudget?: Partial<ClientPolicy['requeueBudget']>;
};

/** How to reach the endpoints of a name. */
export interface ClientPolicy {
  readonly loadBalancer: LoadBalancerConfig;
  /** Per attempt, TCP and TLS; `Infinity`: no limit. */
  readonly connectTimeoutMs: number;
  readonly maxWaiters: number;
  /** Spare connections kept open. */
  readonly minConnections: number;
  readonly emptyWaitMs: number;
  readonly failFast: {
    readonly maxConsecutiveFailures: number;
    readonly failurePenaltySecs: number;
  };
  readonly requeueBudget: {
    readonly minRetriesPerSec: number;
    readonly percentCanRetry: number;
    readonly ttlSecs: number;
  };
  /** A spare unused for so long is closed and replaced; `Infinity`: never. */
  readonly spareIdleMs: number;
  readonly tls?: ClientTlsPolicy;
  /** The `dnsName` of `tls` with what the prefix captured; it may still name `{sni}`. */
  readonly serverName?: string;
  /** Tells endpoints by a PROXY header whom a connection is for. */
  readonly proxyProtocol?: 'v1' | 'v2';
}
