/** Who a connection comes from, and what it asked for, as far as that is known. Plain data. Pure. */

/** A client certificate that this proxy has verified: its chain, its dates and its revocation. */
export interface ClientCert {
  /** The subject’s parts as they stand in it, such as `O=Shop, CN=web`. */
  readonly subject: string;
  readonly cn?: string;
  /** DNS names, lower-cased. */
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  readonly ips: readonly string[];
  /** The one URI that begins with `spiffe://`. Source: SPIFFE X509-SVID §2: there is exactly one. */
  readonly spiffe?: string;
  /** SHA-256 of the whole certificate, in lower-case hex without colons. */
  readonly fingerprint: string;
}

/** What rules may be about. */
export interface Source {
  /** The client’s address; behind a trusted proxy, the one that its PROXY header tells. */
  readonly ip: string;
  readonly port: number;
  /** The address that it was sent to, where a PROXY header tells. */
  readonly localIp?: string;
  /** The port that it was sent to. */
  readonly localPort: number;
  /** A valid DNS name, lower-cased, without a dot at its end. */
  readonly sni?: string;
  /** After a handshake the one that was agreed; of a ClientHello all that it offers. */
  readonly alpn: readonly string[];
  /** `TLSv1.3` and so on. */
  readonly tlsVersion?: string;
  readonly cert?: ClientCert;
}
