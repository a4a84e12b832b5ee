/** The configuration of TLS as the rest of the program sees it: PEM already read and checked. */

/** Certificates in PEM, already read from their files. */
export interface Identity {
  readonly certs: string;
  readonly privateKey: string;
}

/** Versions and ciphers of TLS. */
export interface TlsVersions {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** As OpenSSL lists them; absent: the platform’s. */
  readonly ciphers?: string;
}

/** A version of TLS. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** How clients prove who they are: PEM, already read. */
export interface ClientAuthConfig {
  readonly mode: 'none' | 'optional' | 'required';
  readonly trustCerts: readonly string[];
  readonly crls: readonly string[];
}

/** TLS from clients. */
export interface ServerTlsConfig extends TlsVersions {
  readonly alpnProtocols: readonly string[];
  readonly handshakeTimeoutMs: number;
  readonly defaultIdentity?: Identity;
  /** By server name, lower-cased; `*.` at its begin stands for one label. */
  readonly identities: ReadonlyMap<string, Identity>;
  /** Clients that ask for no name, or for one without an identity, are refused. */
  readonly strictSni: boolean;
  readonly clientAuth: ClientAuthConfig;
  /** 0: no session is resumed. */
  readonly sessionTimeoutSecs: number;
  /** What tickets of sessions are sealed with: 48 bytes, the same for all workers and until the process ends. Secret. */
  readonly ticketKeys: Uint8Array;
}

/** TLS to endpoints. */
export interface ClientTlsPolicy extends TlsVersions {
  /**
   * Sent as server name, and required in the endpoint's certificate. A template: `{sni}`, and what the prefix
   * captured. Absent only where nothing is validated.
   */
  readonly dnsName?: string;
  /** PEM of the trusted roots, already read; absent: the platform's. */
  readonly trustCerts?: readonly string[];
  /** Believes every endpoint. */
  readonly disableValidation: boolean;
  /** Shown to endpoints that ask. */
  readonly clientAuth?: Identity;
  readonly alpnProtocols: readonly string[];
}
