/** What an approach begins with, and what it comes to. */
import type { ClientHello } from '../client-hello/hello.ts';
import type { Close } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import type { Peeked } from '../event.ts';
import type { Begun } from '../socket/read-ahead.ts';
import type { PlainSocket, Socket } from '../socket/socket.ts';
import type { Source } from '../source.ts';
import type { Timers } from '../timers.ts';
import type { Rules } from './rules.ts';
import type { TlsFacts } from './tls.ts';

/** How it ended. */
export type Approached =
  /** The socket is the caller’s, with what it has said beyond what was read here. */
  | {
      readonly t: 'here';
      readonly socket: Socket;
      readonly begun: Begun | undefined;
      readonly source: Source;
      /** The proxy that told of it, `ip:port`. */
      readonly peer: string | undefined;
      /** Of a handshake. */
      readonly tls: TlsFacts | undefined;
      /** How long the handshake took. */
      readonly us: number;
      /** Where a ClientHello was looked for. */
      readonly peeked: Peeked | undefined;
    }
  /** The socket is closed. */
  | { readonly t: 'rejected'; readonly source: Source; readonly close: Close };

/** What an approach is made with. */
export interface ApproachSetup {
  readonly socket: PlainSocket;
  /** What is known of it by its socket. */
  readonly source: Source;
  readonly at: number;
  /** What tells the server from all others. */
  readonly server: string;
  readonly config: ServerConfig;
  readonly rules: Rules;
  readonly timers: Timers;
  readonly wallNow: () => number;
  /** Called exactly once unless it is dropped. */
  readonly done: (how: Approached) => void;
}

/** What TLS has told, in a handshake or in the ClientHello alone. */
interface Told extends Pick<Source, 'alpn' | 'cert'> {
  readonly version: string;
  readonly sni: string | undefined;
}

const learned = (
  { ip, port, localIp, localPort }: Source,
  { version, alpn, sni, cert }: Told,
): Source => ({
  ip,
  port,
  ...(localIp === undefined ? {} : { localIp }),
  localPort,
  alpn,
  tlsVersion: version,
  ...(sni === undefined ? {} : { sni }),
  ...(cert === undefined ? {} : { cert }),
});

/** What a handshake has told counts, and nothing that a proxy has said of another. */
export const withTls = (source: Source, { alpn, sni, ...facts }: TlsFacts): Source =>
  learned(source, { sni, alpn: alpn === undefined ? [] : [alpn], ...facts });

/** What is known of a client once its ClientHello is read; a name that its PROXY header told stays where it asks for none. */
export const withHello = (
  source: Source,
  { alpn, version, sni = source.sni }: ClientHello,
): Source => learned(source, { version, alpn, sni });
