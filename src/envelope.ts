/** What is known of an inbound connection before it is routed: plain data, the socket stays in the client table. */
import type { Path } from './path.ts';

/** One inbound connection. */
export interface Envelope {
  /** Unique in the process; names the connection in the client table, in events and in the log. */
  readonly id: number;
  /** Label of the router. */
  readonly rt: string;
  /** The server's own address, `ip:port`: the metric label `srv_addr`. */
  readonly srv: string;
  /** The client's address, `ip:port`. */
  readonly src: string;
  /** The name to route to. */
  readonly dst: Path;
  /** When it was accepted, in ms of `env.scheduler`. */
  readonly at: number;
  /** When the attempt to reach an endpoint ends, same clock; `Infinity` where there is no limit. */
  readonly deadline: number;
  /** Server name the client asked for by TLS, lower-cased. */
  readonly sni?: string;
  /** Protocol agreed by ALPN. */
  readonly alpn?: string;
}
