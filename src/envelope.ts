/** What is known of an inbound connection before it is routed: plain data, the socket stays in the client table. */
import type { Path } from './path.ts';
import type { ClientCert } from './source.ts';

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
  /** The rule that said so: `routers[0].servers[0].identify[2]`. */
  readonly rule: string;
  /** When it was accepted, in ms of `env.scheduler`. */
  readonly at: number;
  /** When the attempt to reach an endpoint ends, same clock; `Infinity` where there is no limit. */
  readonly deadline: number;
  /** What operators have noted of it, for the log and for each other. */
  readonly notes?: Readonly<Record<string, string>> | undefined;
  /** The trusted proxy that it came through, `ip:port`. */
  readonly peer?: string | undefined;
  /** The address that the client dialed, `ip:port`, where that proxy tells. */
  readonly local?: string | undefined;
  /** Server name the client asked for by TLS, lower-cased. */
  readonly sni?: string | undefined;
  /** Protocol agreed by ALPN; of a peeked ClientHello the first that it offers. */
  readonly alpn?: string | undefined;
  /** Version of TLS: spoken, or the newest that a peeked ClientHello offers. */
  readonly tls?: string | undefined;
  /** The client’s certificate, verified. */
  readonly cert?: ClientCert | undefined;
}

/** What is known of a client beside where it came in. */
export type Known = Omit<Envelope, 'id' | 'rt' | 'srv' | 'deadline' | 'notes'>;

/** Has every key, whether anything is known or not: objects of one shape are cheap to read, and cheap to copy with a change. */
export const makeEnvelope = (
  { id, rt, srv, deadline }: Pick<Envelope, 'id' | 'rt' | 'srv' | 'deadline'>,
  { src, dst, rule, at, peer, local, sni, alpn, tls, cert }: Known,
): Envelope => ({
  id,
  rt,
  srv,
  src,
  dst,
  rule,
  at,
  deadline,
  notes: undefined,
  peer,
  local,
  sni,
  alpn,
  tls,
  cert,
});
