/** Hosts with ports as addresses: IP addresses as they are, names by DNS. */
import { combineLatest, map, type Observable, of, scan, startWith } from 'rxjs';
import { makeAddress } from '../../address.ts';
import { believed, keep, type LastGood } from '../last-good.ts';
import type { Addr, Meta, NamedAddress } from './namer.ts';

/** What is known of the addresses of a host. */
export type Host =
  /** It exists; no IPs: it has no address. Canonical, each once. */
  | { readonly t: 'bound'; readonly ips: readonly string[] }
  | { readonly t: 'neg' }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

type GoodHost = Extract<Host, { t: 'bound' | 'neg' }>;

/** Follows the addresses of a host name. Cold. Errors: none. Ends: never. */
export type Resolve = (host: string) => Observable<Host>;

/** A host and a port, with a weight if one was given. */
export interface HostPort {
  readonly host: string;
  readonly isIp: boolean;
  readonly port: number;
  readonly weight?: number;
  /** What else is known of it. */
  readonly meta?: Meta;
}

const DEFAULT_WEIGHT = 1;

const named = (ip: string, { port, weight, meta }: HostPort): NamedAddress => ({
  address: makeAddress(ip, port),
  weight: weight ?? DEFAULT_WEIGHT,
  ...(weight === undefined
    ? { ...(meta && { meta }) }
    : { meta: { ...meta, endpoint_addr_weight: weight } }),
});

type Ips = ReadonlyMap<string, readonly string[]>;

/** Each address once, with the largest of its weights. */
const addrOf = (all: readonly HostPort[], ips: Ips): Addr => {
  const found = new Map<string, NamedAddress>();
  for (const one of all)
    for (const ip of one.isIp ? [one.host] : (ips.get(one.host) ?? [])) {
      const next = named(ip, one);
      const { text } = next.address;
      if ((found.get(text)?.weight ?? -1) < next.weight) found.set(text, next);
    }
  return { t: 'bound', endpoints: [...found.values()] };
};

/** Follows a host, and keeps its last addresses while it cannot be resolved. */
const keeping = (host$: Observable<Host>): Observable<LastGood<GoodHost>> =>
  host$.pipe(
    scan((known: LastGood<GoodHost>, said) => keep<GoodHost>(known, said), {}),
    startWith({}),
  );

const together = (
  all: readonly HostPort[],
  names: readonly string[],
  known: readonly LastGood<GoodHost>[],
): Addr => {
  const ips = new Map<string, readonly string[]>();
  let failed: Addr | undefined;
  for (const [i, host] of known.entries()) {
    const now = believed(host);
    if (now.t === 'pending') return now;
    if (now.t === 'failed') failed ??= now;
    else ips.set(names[i] ?? '', now.t === 'bound' ? now.ips : []);
  }
  const addr = addrOf(all, ips);
  // Some of the addresses are better than none, but what is not known at all is no empty set.
  return failed !== undefined && addr.t === 'bound' && addr.endpoints.length === 0 ? failed : addr;
};

/**
 * The addresses behind hosts. Host names that do not exist are left out; nothing is told before each name was answered
 * once. Errors: none. Ends: never by itself with host names.
 */
export const addrOfHosts = (all: readonly HostPort[], resolve: Resolve): Observable<Addr> => {
  const names = [...new Set(all.filter(({ isIp }) => !isIp).map(({ host }) => host))];
  if (names.length === 0) return of(addrOf(all, new Map()));
  return combineLatest(names.map((name) => keeping(resolve(name)))).pipe(
    map((known) => together(all, names, known)),
  );
};
