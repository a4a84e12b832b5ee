/** The namer `io.l5d.k8s`: services of Kubernetes by their EndpointSlices. */
import { distinctUntilChanged, map, type Observable, of, startWith } from 'rxjs';
import type { NamerConfig } from '../../../config/config.ts';
import { leaf, NEG } from '../../../dtab/name-tree.ts';
import { segmentBytes } from '../../../dtab/segment.ts';
import type { Env } from '../../../env.ts';
import { type Path, segments } from '../../../path.ts';
import { sharedBy } from '../../shared.ts';
import type { Addr, Binding, Namer } from '../namer.ts';
import type { KubeApi } from './api.ts';
import { followSlices, type Heard } from './follow-slices.ts';
import { addrOf } from './slices.ts';

/** What the namer asks. */
export interface K8sSetup {
  readonly config: Extract<NamerConfig, { kind: 'io.l5d.k8s' }>;
  /** `/#/io.l5d.k8s`. */
  readonly prefix: Path;
  readonly api: KubeApi;
}

/** A service, and the value of its label if names have one. */
interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly label: string | undefined;
}

const LEGAL = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

const textOf = (segment: string): string => Buffer.from(segmentBytes(segment)).toString('utf8');

class K8s {
  readonly #setup: K8sSetup;
  readonly #heard: (service: Service) => Observable<Heard | { readonly t: 'pending' }>;

  constructor(setup: K8sSetup, env: Env) {
    this.#setup = setup;
    const { base, http } = setup.api;
    this.#heard = sharedBy(
      (service) => JSON.stringify(service),
      (service) =>
        followSlices({ url: `${base}${this.#pathOf(service)}`, http }, env).pipe(
          startWith({ t: 'pending' } as const),
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

  #pathOf({ namespace, name, label }: Service): string {
    const { labelSelector } = this.#setup.config;
    const more = label === undefined ? '' : `,${labelSelector}=${label}`;
    const selector = encodeURIComponent(`kubernetes.io/service-name=${name}${more}`);
    return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`;
  }

  #addr(service: Service, port: string): Observable<Addr> {
    return this.#heard(service).pipe(
      map((heard): Addr => (heard.t === 'slices' ? addrOf(heard.slices, port) : heard)),
    );
  }
}

/**
 * Makes the namer: `/prod/http/web` is the port `http` of the service `web` in the namespace `prod`; a number is that of the
 * port at the endpoints. A service without slices, and a port that none has, is `neg`.
 * Bounds: one list or watch for each service that is asked for.
 */
export const makeK8s = (setup: K8sSetup, env: Env): Namer => new K8s(setup, env).namer;
