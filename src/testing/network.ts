/** A network of endpoints that do as they are told: dials that succeed, are refused, hang, or are reset. */

/**
 * How an endpoint is: it takes connections; refuses them; answers nothing, not even a SYN; takes them and resets them
 * before their first byte; or it has gone with all its connections, and refuses new ones.
 */
export type Health = 'up' | 'refuses' | 'hangs' | 'resets' | 'dead';

/** Healths as rows write them. */
export const HEALTHS: Readonly<Record<string, Health>> = {
  u: 'up',
  r: 'refuses',
  h: 'hangs',
  x: 'resets',
  d: 'dead',
};

/** One endpoint. */
export interface Behaviour {
  readonly health: Health;
  /** How long a dial takes. */
  readonly connectMs: number;
  /** From the dispatch to its first byte. */
  readonly firstByteMs: number;
}

/** How an endpoint is of which nothing is said. */
export const WELL: Behaviour = { health: 'up', connectMs: 1, firstByteMs: 1 };

/** A connection with an endpoint: a stream, or one that is not used yet. */
export interface Open {
  readonly address: string;
  /** Ends it as its endpoint does. */
  cut(): void;
}

/** All endpoints, by their addresses. */
export class Network {
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #open = new Map<string, Set<Open>>();

  of(address: string): Behaviour {
    return this.#behaviours.get(address) ?? WELL;
  }

  /** An endpoint is like this from now on. */
  set(address: string, changed: Partial<Behaviour>): void {
    this.#behaviours.set(address, { ...this.of(address), ...changed });
    if (changed.health === 'dead')
      for (const open of [...(this.#open.get(address) ?? [])]) open.cut();
  }

  enter(open: Open): void {
    const known = this.#open.get(open.address);
    if (known === undefined) this.#open.set(open.address, new Set([open]));
    else known.add(open);
  }

  leave(open: Open): void {
    this.#open.get(open.address)?.delete(open);
  }
}
