/** Where readers find what is alive: the servers and names of every router. */
import { preview } from './balancer/select.ts';
import type { State } from './balancer/state.ts';
import { gaugeName, viewName } from './balancer/view.ts';
import type { Clients } from './server/clients.ts';
import {
  type ConnectionView,
  MOST_CONNECTIONS,
  type NameGauges,
  type NextView,
  type RouterView,
  type ServerGauges,
} from './view.ts';

interface ServerEntry {
  readonly rt: string;
  readonly srv: string;
  readonly dstName: () => string;
}

interface Counts {
  active: number;
  waiters: number;
  rx: number;
  tx: number;
}

/**
 * Holds no copies: readers get fresh ones. The names’ states belong to their balancers; here they are
 * only read, between two steps.
 * Bounds: what the routers hold.
 */
export class Directory {
  readonly #clients: Clients;
  readonly #now: () => number;
  readonly #names = new Map<string, Map<string, State>>();
  readonly #servers = new Set<ServerEntry>();
  readonly #routers = new Set<string>();

  constructor(clients: Clients, now: () => number) {
    this.#clients = clients;
    this.#now = now;
  }

  addRouter(rt: string): () => void {
    this.#routers.add(rt);
    return () => this.#routers.delete(rt);
  }

  /** Notes a listening server until the function that it gives is called. */
  addServer(server: ServerEntry): () => void {
    this.#servers.add(server);
    return () => this.#servers.delete(server);
  }

  /** Notes a name until the function that it gives is called; a newer state of the name stays then. */
  addName(rt: string, dst: string, state: State): () => void {
    const names = this.#names.get(rt) ?? new Map<string, State>();
    this.#names.set(rt, names.set(dst, state));
    return () => {
      if (names.get(dst) === state) names.delete(dst);
      if (names.size === 0 && this.#names.get(rt) === names) this.#names.delete(rt);
    };
  }

  /** What the next connection of a name would meet. */
  preview(rt: string, dst: string): NextView | undefined {
    const state = this.#names.get(rt)?.get(dst);
    return state === undefined ? undefined : preview(state, this.#now());
  }

  /** The counts of every name. */
  *names(): IterableIterator<NameGauges> {
    for (const [rt, names] of this.#names) {
      for (const [dst, state] of names) yield gaugeName(state, { rt, dst }, this.#now());
    }
  }

  /** The counts of every server that listens or still has connections. O(connections). */
  servers(): readonly ServerGauges[] {
    const counts = this.#count();
    const listening = [...this.#servers].map(({ rt, srv }) => ({ rt, srv }));
    const known = new Set(listening.map(({ rt, srv }) => `${rt} ${srv}`));
    const leaving = [...counts.values()].filter(({ rt, srv }) => !known.has(`${rt} ${srv}`));
    return [...listening, ...leaving].map(({ rt, srv }) => {
      const { active = 0, waiters = 0, rx = 0, tx = 0 } = counts.get(`${rt} ${srv}`) ?? {};
      return { rt, srv, active, waiters, rx, tx };
    });
  }

  /** One router after the other, made when it is asked for: a reader may pause between two. */
  *routers(): IterableIterator<RouterView> {
    const counts = this.#count();
    const connections = this.#connections();
    for (const label of [...this.#routers]) {
      const servers = [...this.#servers].filter(({ rt }) => rt === label);
      yield {
        label,
        servers: servers.map(({ rt, srv, dstName }) => {
          const { active = 0, waiters = 0 } = counts.get(`${rt} ${srv}`) ?? {};
          return { address: srv, dstName: dstName(), active, waiting: waiters };
        }),
        names: [...(this.#names.get(label) ?? [])].map(([dst, state]) =>
          viewName(state, dst, this.#now()),
        ),
        connections: connections.get(label) ?? [],
      };
    }
  }

  /** Some of each router, which stand in the table in the order in which they came. */
  #connections(): ReadonlyMap<string, readonly ConnectionView[]> {
    const now = this.#now();
    const byRouter = new Map<string, ConnectionView[]>();
    for (const { envelope, stream } of this.#clients.all()) {
      const { rt, at, deadline: _, ...known } = envelope;
      const shown = byRouter.get(rt) ?? [];
      byRouter.set(rt, shown);
      if (shown.length < MOST_CONNECTIONS)
        shown.push({ ...known, ageMs: Math.round(now - at), isWaiting: stream === undefined });
    }
    return byRouter;
  }

  #count(): Map<string, Counts & { readonly rt: string; readonly srv: string }> {
    const counts = new Map<string, Counts & { readonly rt: string; readonly srv: string }>();
    for (const { envelope, stream } of this.#clients.all()) {
      const { rt, srv } = envelope;
      const key = `${rt} ${srv}`;
      const count = counts.get(key) ?? { rt, srv, active: 0, waiters: 0, rx: 0, tx: 0 };
      counts.set(key, count);
      count.active += 1;
      count.waiters += stream === undefined ? 1 : 0;
      count.rx += stream?.rx ?? 0;
      count.tx += stream?.tx ?? 0;
    }
    return counts;
  }
}
