/** The listening sockets of all routers: bound before a config takes effect, and kept across reloads. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { forkJoin, map, type Observable, of } from 'rxjs';
import type { Config, ServerConfig } from './config/config.ts';
import type { Env } from './env.ts';
import { serverKey } from './router.ts';
import type { Descriptors } from './server/descriptors.ts';
import { bindListener, type Listener } from './server/listener.ts';
import type { Sockets } from './socket/sockets.ts';

/** What listeners are made of; each counts as a descriptor while it is in use. */
export interface ListenerParts {
  readonly sockets: Sockets;
  readonly descriptors: Descriptors;
  readonly env: Env;
}

/** New listeners that are bound and not yet in use. */
export interface Reserved {
  /** Takes them into use; those that the config does not name close when their servers end. */
  readonly commit: () => void;
  /** Closes them again. */
  readonly cancel: () => void;
}

/**
 * Owns every listener. A server that ends gives its listener back: it closes, unless the config in force
 * names its address, for another router then goes on with it.
 * Bounds: one listener per server of the config in force, and of those that are leaving.
 */
export class Listeners {
  readonly #parts: ListenerParts;
  readonly #bound = new Map<string, Listener>();
  /** Who uses which. */
  readonly #claims = new Map<string, symbol>();
  #wanted: ReadonlySet<string> = new Set();

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Binds what a config needs and is not bound yet: all of it, or, with the errors told, none. */
  reserve({ routers }: Config): Observable<Either<readonly string[], Reserved>> {
    const servers = routers.flatMap((router) => router.servers);
    const missing = servers.filter((server) => !this.#bound.has(serverKey(server)));
    if (missing.length === 0)
      return of(right({ commit: () => this.#want(servers), cancel: () => undefined }));
    const bindings = missing.map((server) =>
      bindListener(server.address, server.place, this.#parts).pipe(
        map((result) => ({ key: serverKey(server), result })),
      ),
    );
    return forkJoin(bindings).pipe(
      map((bound) => {
        const errors = bound.flatMap(({ result }) => (isLeft(result) ? [result.left] : []));
        const fresh = bound.flatMap(({ key, result }) =>
          isLeft(result) ? [] : [{ key, listener: result.right }],
        );
        const cancel = (): void => {
          for (const { listener } of fresh) listener.close();
        };
        if (errors.length > 0) {
          cancel();
          return left(errors);
        }
        return right({
          cancel,
          commit: () => {
            for (const { key, listener } of fresh) {
              this.#bound.set(key, listener);
              this.#parts.descriptors.take();
            }
            this.#want(servers);
          },
        });
      }),
    );
  }

  /** The listener of a server, for one user at a time; `close` gives it back. The next claim takes it over. */
  claim(key: string): Listener | undefined {
    const listener = this.#bound.get(key);
    if (listener === undefined) return undefined;
    const claim = Symbol(key);
    this.#claims.set(key, claim);
    return {
      srv: listener.srv,
      accept: (handler) => listener.accept(handler),
      close: () => this.#giveBack(key, claim),
    };
  }

  /** Nothing is wanted any more: every listener closes, those in use when they are given back. */
  retire(): void {
    this.#wanted = new Set();
    for (const [key, listener] of this.#bound)
      if (!this.#claims.has(key)) this.#close(key, listener);
  }

  #want(servers: readonly ServerConfig[]): void {
    this.#wanted = new Set(servers.map(serverKey));
  }

  #giveBack(key: string, claim: symbol): void {
    const listener = this.#bound.get(key);
    // Somebody else goes on with it already.
    if (listener === undefined || this.#claims.get(key) !== claim) return;
    this.#claims.delete(key);
    if (this.#wanted.has(key)) {
      listener.accept(undefined);
      return;
    }
    this.#close(key, listener);
  }

  #close(key: string, listener: Listener): void {
    this.#bound.delete(key);
    this.#parts.descriptors.give();
    listener.close();
  }
}
