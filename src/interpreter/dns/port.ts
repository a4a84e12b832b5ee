/** The port to the domain name system, so that tests can play it in virtual time. */
import type { Observable } from 'rxjs';

/** What is asked. */
export interface Question {
  /** In lower case, without a dot at its end. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
}

/** One server of a service. Source: RFC 2782. */
export interface Srv {
  /** Lower first. */
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** In lower case; empty: the service is decidedly not available here. */
  readonly target: string;
}

/** One answer. */
export type DnsAnswer =
  | {
      readonly t: 'found';
      /** Of A and AAAA: canonical. */
      readonly ips: readonly string[];
      readonly srvs: readonly Srv[];
      /** How long it may be kept; the shortest of all records that it rests on. */
      readonly ttlSecs: number;
    }
  /** The name does not exist, or has nothing of the kind. */
  | { readonly t: 'none'; readonly ttlSecs: number }
  | { readonly t: 'failed'; readonly cause: string };

/** Asks once: one answer, then the end. Errors: none. */
export type DnsPort = (question: Question) => Observable<DnsAnswer>;

/** What the platform knows of a host: its hosts file, its search list, its own DNS. One answer, then the end. */
export type PlatformPort = (host: string) => Observable<DnsAnswer>;
