/** What a PROXY header says, and the numbers that both directions share. Pure. Source: PROXY protocol, versions 1 and 2. */

/** An address in it: canonical text, and a port. */
export interface Place {
  readonly ip: string;
  readonly port: number;
}

/** What a header adds to the addresses. */
export interface Tlvs {
  readonly alpn?: string;
  /** The name that the client asked the proxy for. */
  readonly authority?: string;
  /** Lower-case hex, at most 128 bytes. */
  readonly uniqueId?: string;
  readonly ssl?: Ssl;
}

/** The proxy’s TLS with the client. */
export interface Ssl {
  /** The client has shown a certificate, and it was good. */
  readonly verified: boolean;
  readonly version?: string;
  /** The common name of that certificate. */
  readonly cn?: string;
}

/** A whole header. Without a source it says nothing of the connection: the socket’s addresses hold. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  readonly source?: Place;
  readonly destination?: Place;
  readonly tlvs?: Tlvs;
}

/** What version 2 begins with. */
export const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);

/** Types of what is added. */
export const TYPE = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  uniqueId: 0x05,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCn: 0x22,
} as const;

/** Bits of the client in the TLS part: it spoke TLS, and it has shown a certificate on this connection. */
export const SSL_CLIENT = { tls: 1, certificate: 2 } as const;
