/** The namer `io.l5d.consul`: services of Consul’s catalog, by their health. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { distinctUntilChanged, map, type Observable, of, startWith, switchMap } from 'rxjs';
import type { NamerConfig } from '../../../config/config.ts';
import { leaf, NEG } from '../../../dtab/name-tree.ts';
import { segmentBytes } from '../../../dtab/segment.ts';
import type { Env } from '../../../env.ts';
import { type Path, segments } from '../../../path.ts';
import { sharedBy } from '../../shared.ts';
import { Slots } from '../../slots.ts';
import type { Transport } from '../../transport.ts';
import { addrOfHosts, type Resolve } from '../hosts.ts';
import type { Addr, Binding, Meta, Namer } from '../namer.ts';
import { type Answered, followService } from './follow-service.ts';
import { type Instances, readInstances } from './instances.ts';

/** Most queries at one time; each holds a connection, for a minute at most. */
const MOST_QUERIES = 1000;

/** The agent’s own datacenter. */
const LOCAL = '.local';

/** What the namer asks. */
export interface ConsulSetup {
  readonly config: Extract<NamerConfig, { kind: 'io.l5d.consul' }>;
  /** `/#/io.l5d.consul`. */
  readonly prefix: Path;
  readonly resolve: Resolve;
  /** Sends the token. */
  readonly http: Transport;
}

/** A service of a datacenter, with a tag if names have one. */
interface Service {
  readonly dc: string;
  readonly tag: string | undefined;
  readonly name: string;
}

/** What is known of a service. */
type Known =
  | { readonly t: 'known'; readonly instances: Instances }
  | { readonly t: 'pending' }
  | { readonly t: 'failed'; readonly cause: string };

const textOf = (segment: string): string => Buffer.from(segmentBytes(segment)).toString('utf8');

const keyOf = ({ dc, tag, name }: Service): string => JSON.stringify([dc, tag, name]);

const authorityOf = ({ dc, tag, name }: Service): string =>
  `${tag === undefined ? '' : `${tag}.`}${name}.service${dc === LOCAL ? '' : `.${dc}`}.consul`;

class Consul {
  readonly #setup: ConsulSetup;
  readonly #base: string;
  readonly #known: (service: Service) => Observable<Known>;

  constructor(setup: ConsulSetup, env: Env) {
    this.#setup = setup;
    const { host, port, tls } = setup.config;
    const authority = host.includes(':') ? `[${host}]` : host;
    this.#base = `${tls === undefined ? 'http' : 'https'}://${authority}:${port}`;
    const slots = new Slots(MOST_QUERIES);
    this.#known = sharedBy(
      keyOf,
      (service) =>
        followService({ url: this.#urlOf(service), http: this.#slotted(slots) }, env).pipe(
          map((answered) => this.#read(service, answered)),
          startWith<Known>({ t: 'pending' }),
        ),
      env,
    );
  }

  readonly namer: Namer = (path) => {
    const { prefix, config } = this.#setup;
    const found = segments(path);
    const used = config.includeTag ? 3 : 2;
    if (found.length < used) return of({ t: 'ok', tree: NEG });
    const texts = found.slice(0, used).map(textOf);
    const [dc = '', tag, name = ''] = config.includeTag ? texts : [texts[0], undefined, texts[1]];
    const service: Service = { dc, tag, name };
    const id = `${prefix}/${found.slice(0, used).join('/')}` as Path;
    const residual = `/${found.slice(used).join('/')}` as Path;
    const tree = leaf({ id, residual, addr$: this.#addr(service) });
    return this.#known(service).pipe(
      map((known): Binding => {
        if (known.t !== 'known') return known;
        return { t: 'ok', tree: known.instances.isKnown ? tree : NEG };
      }),
      distinctUntilChanged(
        (one, other) => one.t === 'ok' && other.t === 'ok' && one.tree === other.tree,
      ),
    );
  };

  #slotted(slots: Slots): Transport {
    return (url, kind) => slots.hold(this.#setup.http(url, kind));
  }

  #urlOf({ dc, tag, name }: Service): string {
    const { consistencyMode: mode } = this.#setup.config;
    const query = [
      ...(dc === LOCAL ? [] : [`dc=${encodeURIComponent(dc)}`]),
      ...(tag === undefined ? [] : [`tag=${encodeURIComponent(tag)}`]),
      ...(mode === 'default' ? [] : [mode]),
    ];
    return `${this.#base}/v1/health/service/${encodeURIComponent(name)}?${query.join('&')}`;
  }

  #read({ name }: Service, answered: Answered): Known {
    if (answered.t === 'failed') return answered;
    const instances = readInstances(answered.text, this.#setup.config);
    if (isLeft(instances)) return { t: 'failed', cause: `Consul: ${name}: ${instances.left}` };
    const { hosts, flawed } = instances.right;
    if (hosts.length === 0 && flawed > 0)
      return { t: 'failed', cause: `Consul: ${name}: expected addresses and ports, got none` };
    return { t: 'known', instances: instances.right };
  }

  #addr(service: Service): Observable<Addr> {
    const { resolve, config } = this.#setup;
    const authority: Meta = config.setHost ? { authority: authorityOf(service) } : {};
    return this.#known(service).pipe(
      switchMap((known): Observable<Addr> => {
        if (known.t !== 'known') return of(known);
        const { isKnown, hosts, serviceMeta } = known.instances;
        if (!isKnown) return of({ t: 'neg' });
        const more = Object.keys(serviceMeta).length === 0 ? {} : { service_meta: serviceMeta };
        const meta: Meta = { ...authority, ...more };
        return addrOfHosts(hosts, resolve).pipe(
          map((addr) => (addr.t === 'bound' ? { ...addr, meta } : addr)),
        );
      }),
    );
  }
}

/**
 * Makes the namer: `/dc1/web` is the service `web` of the datacenter `dc1`, `/.local/web` that of the agent’s own. A service
 * without instances is `neg`, one whose instances are all unhealthy has nobody. Bounds: 1000 queries at one time.
 */
export const makeConsul = (setup: ConsulSetup, env: Env): Namer => new Consul(setup, env).namer;
