/** The addresses of host names, of both families, for as long as somebody asks. */
import {
  defer,
  distinctUntilChanged,
  forkJoin,
  map,
  type Observable,
  of,
  startWith,
  switchMap,
} from 'rxjs';
import type { Env } from '../../env.ts';
import { canonicalIp } from '../../ip.ts';
import type { Host, Resolve } from '../namers/hosts.ts';
import { sharedBy } from '../shared.ts';
import { again } from './again.ts';
import type { DnsAnswer, DnsPort, PlatformPort } from './port.ts';

const LOOPBACK: Host = { t: 'bound', ips: ['127.0.0.1'] };

type Found = Extract<DnsAnswer, { t: 'found' }>;

/** Both families as one answer. One that fails does not hold up the other. */
const both = ([v4, v6]: readonly [DnsAnswer, DnsAnswer]): DnsAnswer => {
  const found = [v4, v6].filter((answer): answer is Found => answer.t === 'found');
  if (found.length > 0)
    return {
      t: 'found',
      ips: found.flatMap(({ ips }) => ips),
      srvs: [],
      ttlSecs: Math.min(...found.map(({ ttlSecs }) => ttlSecs)),
    };
  return v4.t === 'failed' ? v4 : v6;
};

/** The families that were known stay while one cannot be asked. */
class Families {
  #v4: DnsAnswer | undefined;
  #v6: DnsAnswer | undefined;

  readonly join = ([v4, v6]: readonly [DnsAnswer, DnsAnswer]): DnsAnswer => {
    const isBlind = v4.t === 'failed' && v6.t === 'failed';
    if (v4.t !== 'failed') this.#v4 = v4;
    if (v6.t !== 'failed') this.#v6 = v6;
    return isBlind ? v4 : both([this.#v4 ?? v4, this.#v6 ?? v6]);
  };
}

const hostOf = (answer: DnsAnswer): Host => {
  switch (answer.t) {
    case 'found':
      return { t: 'bound', ips: [...answer.ips].sort() };
    case 'none':
      return { t: 'neg' };
    case 'failed':
      return answer;
  }
};

const isSameHost = (one: Host, other: Host): boolean => {
  if (one.t === 'bound') return other.t === 'bound' && one.ips.join(' ') === other.ips.join(' ');
  if (one.t === 'failed') return other.t === 'failed' && one.cause === other.cause;
  return one.t === other.t;
};

/**
 * Makes the look-up of hosts. IP addresses and `localhost` are known without asking. Names with a dot are asked of DNS, and
 * where it knows nothing, as names without a dot, of the platform, which knows its hosts file and search list.
 * A name is followed once, however many ask. Bounds: what is asked for.
 */
export const makeHosts = (
  { dns, platform }: { readonly dns: DnsPort; readonly platform: PlatformPort },
  env: Env,
): Resolve => {
  const ask = (name: string, families: Families): Observable<DnsAnswer> => {
    if (!name.includes('.')) return platform(name);
    return forkJoin([dns({ name, type: 'A' }), dns({ name, type: 'AAAA' })]).pipe(
      map(families.join),
      switchMap((answer) => (answer.t === 'none' ? platform(name) : of(answer))),
    );
  };
  const follow = (name: string): Observable<Host> =>
    defer(() => {
      const families = new Families();
      return again(
        defer(() => ask(name, families)),
        env,
      ).pipe(map(hostOf), startWith<Host>({ t: 'pending' }), distinctUntilChanged(isSameHost));
    });
  const shared = sharedBy(String, follow, env);
  return (host) => {
    const ip = canonicalIp(host);
    if (ip !== undefined) return of({ t: 'bound', ips: [ip] });
    return host === 'localhost' ? of(LOOPBACK) : shared(host);
  };
};
