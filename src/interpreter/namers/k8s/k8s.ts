/** The namer `io.l5d.k8s`: services of Kubernetes by their EndpointSlices, and by themselves where those do not tell. */
import { distinctUntilChanged, map, type Observable, of, scan, startWith, switchMap } from 'rxjs';
import type { NamerConfig } from '../../../config/config.ts';
import { leaf, NEG } from '../../../dtab/name-tree.ts';
import { segmentBytes } from '../../../dtab/segment.ts';
import type { Env } from '../../../env.ts';
import { type Path, segments } from '../../../path.ts';
import { sharedBy } from '../../shared.ts';
import type { Addr, Binding, Namer } from '../namer.ts';
import type { KubeApi } from './api.ts';
import { followObjects, type Heard } from './follow-objects.ts';
import type { KubeObject, Read } from './objects.ts';
import { numberOf, readService, type ServicePort } from './service.ts';
import { addrOf, readSlice, type Slice } from './slices.ts';

/** What the namer asks. */
export interface K8sSetup {
  readonly config: Extract<NamerConfig, { kind: 'io.l5d.k8s' }>;
  /** `/#/io.l5d.k8s`. */
  readonly prefix: Path;
  readonly api: KubeApi;
}

/** A service, and the value of its label if names have one. */
interface Asked {
  readonly namespace: string;
  readonly name: string;
  readonly label: string | undefined;
}

interface Pending {
  readonly t: 'pending';
}

/** The ports of a service; none: it does not exist, or cannot be read. */
type Ports = Pending | { readonly t: 'known'; readonly ports: readonly ServicePort[] };

const PENDING: Pending = { t: 'pending' };

const LEGAL = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

const textOf = (segment: string): string => Buffer.from(segmentBytes(segment)).toString('utf8');

class K8s {
  readonly #setup: K8sSetup;
  readonly #slices: (asked: Asked) => Observable<Heard<Slice> | Pending>;
  readonly #ports: (asked: Asked) => Observable<Ports>;

  constructor(setup: K8sSetup, env: Env) {
    this.#setup = setup;
    const { base, http } = setup.api;
    const follow = <T extends KubeObject>(path: string, read: Read<T>) =>
      followObjects({ url: `${base}${path}`, http, read }, env);
    const keyOf = (asked: Asked): string => JSON.stringify(asked);
    this.#slices = sharedBy(
      keyOf,
      (asked) => follow(this.#slicesPath(asked), readSlice).pipe(startWith(PENDING)),
      env,
    );
    this.#ports = sharedBy(
      keyOf,
      (asked) =>
        follow(this.#servicePath(asked), readService).pipe(
          scan((known: Ports, heard): Ports => {
            if (heard.t === 'objects')
              return { t: 'known', ports: heard.objects.flatMap(({ ports }) => ports) };
            return known.t === 'known' ? known : { t: 'known', ports: [] };
          }, PENDING),
          startWith<Ports>(PENDING),
        ),
      env,
    );
  }

  readonly namer: Namer = (path) => {
    const { prefix, config } = this.#setup;
    const found = segments(path);
    const used = config.labelSelector === undefined ? 3 : 4;
    const texts = found.slice(0, used).map(textOf);
    const [namespace = '', port = '', name = '', label] = texts;
    if (texts.length < used || !texts.every((text) => LEGAL.test(text)))
      return of({ t: 'ok', tree: NEG });
    const id = `${prefix}/${found.slice(0, used).join('/')}` as Path;
    const residual = `/${found.slice(used).join('/')}` as Path;
    const addr$ = this.#addr({ namespace, name, label }, port);
    const tree = leaf({ id, residual, addr$ });
    return addr$.pipe(
      map((addr): Binding => {
        if (addr.t === 'pending' || addr.t === 'failed') return addr;
        return { t: 'ok', tree: addr.t === 'neg' ? NEG : tree };
      }),
      distinctUntilChanged(
        (one, other) => one.t === 'ok' && other.t === 'ok' && one.tree === other.tree,
      ),
    );
  };

  #slicesPath({ namespace, name, label }: Asked): string {
    const selector = [`kubernetes.io/service-name=${name}`, ...this.#labels(label)].join();
    return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${encodeURIComponent(selector)}`;
  }

  #servicePath({ namespace, name, label }: Asked): string {
    const fields = encodeURIComponent(`metadata.name=${name}`);
    const [selector] = this.#labels(label).map(
      (one) => `&labelSelector=${encodeURIComponent(one)}`,
    );
    return `/api/v1/namespaces/${namespace}/services?fieldSelector=${fields}${selector ?? ''}`;
  }

  #labels(label: string | undefined): readonly string[] {
    return label === undefined ? [] : [`${this.#setup.config.labelSelector}=${label}`];
  }

  /** The service is asked where its slices do not tell: of a number, and of a port that none of them has. */
  #addr(asked: Asked, port: string): Observable<Addr> {
    return this.#slices(asked).pipe(
      switchMap((heard): Observable<Addr> => {
        if (heard.t !== 'objects') return of(heard);
        const addr = addrOf(heard.objects, port);
        if (addr.t === 'bound' && numberOf(port) === undefined) return of(addr);
        return this.#ports(asked).pipe(
          map((known) => (known.t === 'known' ? addrOf(heard.objects, port, known.ports) : known)),
        );
      }),
    );
  }
}

/**
 * Makes the namer: `/prod/http/web` is the port `http` of the service `web` in the namespace `prod`; a number is that of the
 * port of the service, or else that at the endpoints. A port that the service has and no slice has nobody; what neither has is
 * `neg`. Who may not read services has slices alone.
 * Bounds: one list or watch for the slices of each service that is asked for, and one for itself where they do not tell.
 */
export const makeK8s = (setup: K8sSetup, env: Env): Namer => new K8s(setup, env).namer;
