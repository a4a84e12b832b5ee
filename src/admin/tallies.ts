/** Where the numbers of each router, server and name stand. Pure. */
import { NameTallies } from './name-tallies.ts';
import { type Scope, Tally } from './series.ts';

/** A server’s tally, which outlives its listener until its last connection has ended. */
interface ServerTally {
  readonly tally: Tally;
  isListening: boolean;
}

type Nested<T> = Map<string, Map<string, T>>;

/** The value under both keys, made when there is none. */
const obtain = <T>(group: Nested<T>, keys: readonly [string, string], make: () => T): T => {
  const [rt, key] = keys;
  const known = group.get(rt)?.get(key);
  if (known !== undefined) return known;
  const made = make();
  const inner = group.get(rt) ?? new Map<string, T>();
  group.set(rt, inner.set(key, made));
  return made;
};

/**
 * All tallies by what they count. Bounds: what the configuration names, and what it named since the last
 * `prune`; for names see `NameTallies`.
 */
export class Tallies {
  readonly names: NameTallies;
  readonly process = new Tally('process', {});
  readonly #routers = new Map<string, Tally>();
  readonly #namespaces: Nested<Tally> = new Map();
  readonly #servers: Nested<ServerTally> = new Map();

  constructor(mostOwnNames: () => number) {
    this.names = new NameTallies(mostOwnNames);
  }

  router(rt: string): Tally {
    let tally = this.#routers.get(rt);
    if (tally === undefined) {
      tally = new Tally('router', { rt });
      this.#routers.set(rt, tally);
    }
    return tally;
  }

  namespace(rt: string, namespace: string): Tally {
    const make = (): Tally => new Tally('namespace', { namespace, rt });
    return obtain(this.#namespaces, [rt, namespace], make);
  }

  server(rt: string, srv: string): Tally {
    return this.#server(rt, srv).tally;
  }

  /** Notes whether a server listens; one that does not any more goes with its last connection. */
  listens(rt: string, srv: string, isListening: boolean): void {
    this.#server(rt, srv).isListening = isListening;
  }

  /** The tallies of one kind at this moment. */
  of(scope: Scope): readonly Tally[] {
    switch (scope) {
      case 'process':
        return [this.process];
      case 'worker':
        // A process knows of no other.
        return [];
      case 'router':
        return [...this.#routers.values()];
      case 'namespace':
        return [...this.#namespaces.values()].flatMap((inner) => [...inner.values()]);
      case 'server':
        return [...this.#servers.values()].flatMap((inner) =>
          [...inner.values()].map(({ tally }) => tally),
        );
      case 'name':
        return [...this.names.all()];
    }
  }

  /** Forgets servers that do not listen and are not `busy`, then routers that have neither server nor name and are not kept. */
  prune(busy: (server: Tally) => boolean, keeps: (rt: string) => boolean): void {
    for (const [rt, servers] of this.#servers) {
      for (const [srv, { tally, isListening }] of servers) {
        if (!isListening && !busy(tally)) servers.delete(srv);
      }
      if (servers.size === 0) this.#servers.delete(rt);
    }
    for (const rt of [...this.#routers.keys(), ...this.#namespaces.keys()]) {
      if (this.#servers.has(rt) || this.names.has(rt) || keeps(rt)) continue;
      this.#routers.delete(rt);
      this.#namespaces.delete(rt);
    }
  }

  #server(rt: string, srv: string): ServerTally {
    const make = (): ServerTally => ({
      tally: new Tally('server', { rt, srv_addr: srv }),
      isListening: true,
    });
    return obtain(this.#servers, [rt, srv], make);
  }
}
