/** The configuration as the rest of the program sees it: total, checked, in plain readonly data. */
import type { Address, WeightedAddress } from '../address.ts';
import type { Level } from '../log.ts';
import type { Path } from '../path.ts';

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
  /** In the file's order; a later one wins per key. */
  readonly client: readonly ClientConfig[];
  readonly bindingCache: BindingCacheConfig;
}

/** How many names a router keeps, and how long. */
export interface BindingCacheConfig {
  /** Most names at one time. */
  readonly paths: number;
  /** A name unused for so long is let go. */
  readonly idleTtlSecs: number;
}

/** How names become addresses. */
export type InterpreterConfig = NamerdHttpConfig | StaticConfig;

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
  /** Most watches open at one time; names beyond are polled in turn. */
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
  readonly dstName: Path;
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

/** Certificates in PEM, already read from their files. */
export interface Identity {
  readonly certs: string;
  readonly privateKey: string;
}

/** TLS from clients. */
export interface ServerTlsConfig {
  readonly alpnProtocols: readonly string[];
  readonly handshakeTimeoutMs: number;
  readonly defaultIdentity?: Identity;
  /** By server name, lower-cased. */
  readonly identities: ReadonlyMap<string, Identity>;
}

/** One client block: the keys that it sets, for the names that its prefix matches. */
export interface ClientConfig {
  readonly prefix: string;
  readonly settings: ClientSettings;
}

/** Of a policy only what was set; later blocks win key by key, also inside `failFast`, `requeueBudget` and `loadBalancer`. */
export type ClientSettings = Partial<
  Omit<ClientPolicy, 'failFast' | 'requeueBudget' | 'loadBalancer'>
> & {
  readonly loadBalancer?: Partial<LoadBalancerConfig>;
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
}

/** How one of several endpoints is chosen. */
export interface LoadBalancerConfig {
  readonly kind: 'p2c';
  /** What is balanced. */
  readonly load: 'connections' | 'throughput' | 'latency';
}

/** TLS to endpoints. */
export interface ClientTlsPolicy {
  /** Sent as server name, and required in the endpoint's certificate. */
  readonly dnsName: string;
  /** PEM of the trusted roots, already read; absent: the platform's. */
  readonly trustCerts?: readonly string[];
}
