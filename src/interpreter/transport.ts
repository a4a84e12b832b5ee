/** The port to HTTP servers that names are asked of: an exchange is an Observable, so that tests play it in virtual time. */
import type { Observable } from 'rxjs';

/** What comes back for one GET, in this order: a head, chunks, and `broken` if it ended badly. */
export type Received =
  | {
      readonly t: 'head';
      readonly status: number;
      /** By names in lower case; absent in tests that have no use for them. */
      readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
    }
  /** Bytes of the body, cut anywhere. */
  | { readonly t: 'chunk'; readonly bytes: Uint8Array }
  /** The exchange could not be begun, or its body was cut. Nothing follows. */
  | { readonly t: 'broken'; readonly cause: string };

/**
 * GETs a URL. A `watch` has a connection of its own and may stay silent for days; a `poll` is short.
 * Errors: none, a failure is `broken`. Ends: after the body or `broken`; unsubscribing aborts the request at
 * once. Redirects are not followed.
 */
export type Transport = (url: string, kind: 'watch' | 'poll') => Observable<Received>;
