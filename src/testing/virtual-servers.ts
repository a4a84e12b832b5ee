/** The servers of a virtual router: who comes is admitted and identified as in production, and nothing listens. */
import { Observable, type Subscriber } from 'rxjs';
import { parseAddress, showPeer } from '../address.ts';
import type { Close } from '../close-reason.ts';
import type { ServerConfig } from '../config/config.ts';
import { BufferBudget } from '../duplex/budget.ts';
import type { Env } from '../env.ts';
import { makeEnvelope } from '../envelope.ts';
import type { ServerEvent } from '../event.ts';
import type { ServerId } from '../router.ts';
import { Admission } from '../server/admission.ts';
import { Descriptors } from '../server/descriptors.ts';
import type { Identified, MakeIdentifier } from '../server/identify.ts';
import { compileRules, type Rules } from '../server/rules.ts';
import type { ClientCert, Source } from '../source.ts';
import type { Plane } from './plane.ts';

/** Somebody who comes. */
export interface Arrival {
  /** `ip` or `ip:port`. */
  readonly source: string;
  readonly sni?: string;
  readonly alpn?: readonly string[];
  readonly cert?: ClientCert;
  /** It is identified already. */
  readonly identified?: Identified;
  /** How long its stream lasts; `Infinity`: until it is cut. */
  readonly lastsMs: number;
  /** It goes away if it has no endpoint by then. */
  readonly patienceMs?: number;
}

/** What all servers share. */
interface Shared {
  readonly plane: Plane;
  readonly identifier: MakeIdentifier;
  readonly nextId: () => number;
  readonly env: Env;
}

const ENOUGH = 2 ** 30;
const SOME_PORT = 40_000;

const sourceOf = ({ source, sni, alpn = [], cert }: Arrival, localPort: number): Source => {
  const { ip, port } = parseAddress(source) ?? { ip: source, port: SOME_PORT };
  return {
    ip,
    port,
    localPort,
    alpn,
    ...(sni === undefined ? {} : { sni }),
    ...(cert === undefined ? {} : { cert }),
  };
};

/** One server for as long as its configs come. */
class VirtualServer {
  readonly #rt: string;
  readonly #shared: Shared;
  readonly #out: Subscriber<ServerEvent>;
  readonly #admission: Admission;
  #config: ServerConfig;
  #rules: Rules;

  constructor(rt: string, config: ServerConfig, shared: Shared, out: Subscriber<ServerEvent>) {
    this.#rt = rt;
    this.#shared = shared;
    this.#out = out;
    this.#config = config;
    this.#rules = compileRules(config, shared.identifier);
    const { plane, env } = shared;
    this.#admission = new Admission(
      {
        rt,
        srv: config.address.text,
        config: () => this.#config,
        descriptors: new Descriptors(ENOUGH),
        budget: new BufferBudget(ENOUGH, plane.timers),
      },
      env,
    );
  }

  configure(config: ServerConfig): void {
    this.#config = config;
    this.#rules = compileRules(config, this.#shared.identifier);
  }

  arrive(arrival: Arrival): void {
    const { address, place } = this.#config;
    const close = this.#admission.enter();
    if (close !== undefined) {
      this.#reject(arrival, close);
      return;
    }
    this.#out.next({ t: 'accepted', rt: this.#rt, srv: address.text });
    const source = sourceOf(arrival, address.port);
    const isAllowed = this.#rules.isAllowed?.(source.ip) ?? true;
    const identified = arrival.identified ?? (isAllowed ? this.#rules.identify(source) : undefined);
    if (identified !== undefined) {
      this.#admit(arrival, source, identified);
      return;
    }
    this.#admission.leave();
    const reason = isAllowed ? 'unidentified' : 'source-denied';
    const at = `${place}.${isAllowed ? 'identify' : 'sources'}`;
    this.#reject(arrival, { reason, by: 'proxy', place: at });
  }

  #admit(arrival: Arrival, source: Source, identified: Identified): void {
    const { plane, nextId, env } = this.#shared;
    const { sni, alpn, lastsMs, patienceMs } = arrival;
    const config = this.#config;
    const at = plane.timers.now();
    const envelope = makeEnvelope(
      {
        id: nextId(),
        rt: this.#rt,
        srv: config.address.text,
        deadline: at + config.connectTimeoutMs,
      },
      {
        src: showPeer(source.ip, source.port),
        dst: identified.dst,
        rule: identified.rule,
        at,
        sni,
        alpn: alpn?.[0],
      },
    );
    const jitter = 1 + config.connectionLifetimeJitter * env.random();
    const lifetimeMs = config.connectionLifetimeMs * jitter;
    plane.add({ envelope, lastsMs, lifetimeMs, left: this.#admission.leave });
    if (patienceMs !== undefined) plane.timers.after(patienceMs, () => plane.depart(envelope.id));
    this.#out.next({ t: 'arrived', envelope });
  }

  #reject({ source }: Arrival, close: Close): void {
    this.#out.next({
      t: 'rejected',
      rt: this.#rt,
      srv: this.#config.address.text,
      src: source,
      close,
    });
  }
}

/** All servers of a virtual daemon, by their place in the file: `routers[0].servers[1]`. */
export class VirtualServers {
  readonly #shared: Shared;
  readonly #byPlace = new Map<string, VirtualServer>();

  constructor(shared: Omit<Shared, 'nextId'>) {
    let lastId = 0;
    this.#shared = { ...shared, nextId: () => ++lastId };
  }

  /** Runs one server; it ends with its configs. */
  readonly serve = (server$: Observable<ServerConfig>, { rt }: ServerId): Observable<ServerEvent> =>
    new Observable((out) => {
      let place = '';
      let server: VirtualServer | undefined;
      const leave = (): void => {
        if (this.#byPlace.get(place) === server) this.#byPlace.delete(place);
      };
      out.add(leave);
      out.add(
        server$.subscribe({
          next: (config) => {
            leave();
            if (server === undefined) {
              server = new VirtualServer(rt, config, this.#shared, out);
              out.next({ t: 'listening', rt, srv: config.address.text });
            } else server.configure(config);
            place = config.place;
            this.#byPlace.set(place, server);
          },
          error: (error) => out.error(error),
          complete: () => out.complete(),
        }),
      );
    });

  /** Lets somebody come to a server; `false`: nobody listens there. */
  arrive(place: string, arrival: Arrival): boolean {
    const server = this.#byPlace.get(place);
    server?.arrive(arrival);
    return server !== undefined;
  }
}
