/** The namer `io.l5d.dnssrv`: services by their SRV records. Source: RFC 2782; linkerd 1.x. */
import {
  combineLatest,
  distinctUntilChanged,
  map,
  type Observable,
  of,
  startWith,
  switchMap,
} from 'rxjs';
import type { NamerConfig } from '../../config/config.ts';
import { dnsName } from '../../dns-name.ts';
import { leaf, NEG } from '../../dtab/name-tree.ts';
import type { Env } from '../../env.ts';
import { type Path, segments } from '../../path.ts';
import { again } from '../dns/again.ts';
import type { DnsAnswer, DnsPort, Srv } from '../dns/port.ts';
import { sharedBy } from '../shared.ts';
import { addrOfHosts, type HostPort, type Resolve } from './hosts.ts';
import type { Addr, Binding, Namer } from './namer.ts';

/** A weight of 0 beside others is meant for next to nothing, not for nothing (RFC 2782). */
const LITTLE = 0.01;

/** What the namer asks. */
export interface DnsSrvSetup {
  readonly config: Extract<NamerConfig, { kind: 'io.l5d.dnssrv' }>;
  /** `/#/io.l5d.dnssrv`. */
  readonly prefix: Path;
  readonly dns: DnsPort;
  readonly resolve: Resolve;
}

type Said = DnsAnswer | { readonly t: 'pending' };

const isSameAnswer = (one: Said, other: Said): boolean => {
  if (one.t === 'found')
    return other.t === 'found' && JSON.stringify(one.srvs) === JSON.stringify(other.srvs);
  if (one.t === 'failed') return other.t === 'failed' && one.cause === other.cause;
  return one.t === other.t;
};

/** Servers of equal priority, the preferred ones first. */
const tiersOf = (srvs: readonly Srv[]): readonly (readonly Srv[])[] => {
  const tiers = new Map<number, Srv[]>();
  for (const srv of srvs) {
    const tier = tiers.get(srv.priority) ?? [];
    tiers.set(srv.priority, [...tier, srv]);
  }
  return [...tiers].sort(([one], [other]) => one - other).map(([, tier]) => tier);
};

const hostsOf = (tier: readonly Srv[]): readonly HostPort[] => {
  const isEven = tier.every(({ weight }) => weight === 0);
  return tier.flatMap(({ target, port, weight }) => {
    const host = dnsName(target);
    if (host === undefined || port === 0) return [];
    return [{ host, isIp: false, port, weight: isEven ? 1 : Math.max(weight, LITTLE) }];
  });
};

/** The first tier that has an address counts; one that is not known yet holds up those behind it. */
const firstOf = (addrs: readonly Addr[]): Addr => {
  let failed: Addr | undefined;
  for (const addr of addrs) {
    if (addr.t === 'pending' || (addr.t === 'bound' && addr.endpoints.length > 0)) return addr;
    if (addr.t === 'failed') failed ??= addr;
  }
  return failed ?? { t: 'bound', endpoints: [] };
};

class DnsSrv {
  readonly #setup: DnsSrvSetup;
  readonly #said: (name: string) => Observable<Said>;

  constructor(setup: DnsSrvSetup, env: Env) {
    this.#setup = setup;
    const { dns, config } = setup;
    const every = config.refreshIntervalSeconds;
    this.#said = sharedBy(
      String,
      (name) =>
        again(dns({ name, type: 'SRV' }), env, every).pipe(
          startWith<Said>({ t: 'pending' }),
          distinctUntilChanged(isSameAnswer),
        ),
      env,
    );
  }

  readonly namer: Namer = (path) => {
    const [service, ...rest] = segments(path);
    const { domain } = this.#setup.config;
    const name = dnsName(domain === undefined ? (service ?? '') : `${service}.${domain}`);
    if (service === undefined || name === undefined) return of({ t: 'ok', tree: NEG });
    const id = `${this.#setup.prefix}/${service}` as Path;
    const residual = `/${rest.join('/')}` as Path;
    const tree = leaf({ id, residual, addr$: this.#addr(name) });
    return this.#said(name).pipe(
      map(
        (said): Binding =>
          said.t === 'found' || said.t === 'none'
            ? { t: 'ok', tree: said.t === 'none' ? NEG : tree }
            : said,
      ),
    );
  };

  #addr(name: string): Observable<Addr> {
    return this.#said(name).pipe(
      switchMap((said) => {
        if (said.t === 'none') return of<Addr>({ t: 'neg' });
        return said.t === 'found' ? this.#tiers(said.srvs) : of(said);
      }),
    );
  }

  #tiers(srvs: readonly Srv[]): Observable<Addr> {
    const { resolve } = this.#setup;
    const tiers = tiersOf(srvs).map((tier) => addrOfHosts(hostsOf(tier), resolve));
    return combineLatest(tiers).pipe(map(firstOf));
  }
}

/**
 * Makes the namer: `/_redis._tcp.example.com` stands for the servers of that service. Those of the lowest priority count
 * that have an address, by their weights. A service that DNS does not know is `neg`, one whose target is `.` has nobody.
 */
export const makeDnsSrv = (setup: DnsSrvSetup, env: Env): Namer => new DnsSrv(setup, env).namer;
