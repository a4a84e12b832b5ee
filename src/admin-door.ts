/** The admin server across reloads: a new address is bound before the old one closes. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { map, type Observable, of } from 'rxjs';
import { makeAddress } from './address.ts';
import { type AdminHandlers, type AdminServer, bindAdmin } from './admin/server.ts';
import type { AdminConfig } from './config/config.ts';
import type { Env } from './env.ts';

/** A bound admin server that is not in use yet. */
export interface Reserved {
  readonly commit: () => void;
  readonly cancel: () => void;
}

const UNCHANGED: Reserved = { commit: () => undefined, cancel: () => undefined };

/** Owns the admin server in use. */
export class AdminDoor {
  readonly #handlers: AdminHandlers;
  readonly #env: Env;
  /** The address as it was asked for. */
  #asked = '';
  #server: AdminServer | undefined;

  constructor(handlers: AdminHandlers, env: Env) {
    this.#handlers = handlers;
    this.#env = env;
  }

  /** Binds what a config asks for, unless it is bound already; `Left`: one line on why it cannot be had. */
  reserve({
    ip,
    port,
  }: Pick<AdminConfig, 'ip' | 'port'>): Observable<Either<readonly string[], Reserved>> {
    const address = makeAddress(ip, port);
    if (this.#server !== undefined && this.#asked === address.text) return of(right(UNCHANGED));
    return bindAdmin(address, this.#handlers, this.#env).pipe(
      map((bound) => {
        if (isLeft(bound)) return left([bound.left]);
        const commit = (): void => {
          this.#server?.close();
          this.#server = bound.right;
          this.#asked = address.text;
        };
        return right({ commit, cancel: bound.right.close });
      }),
    );
  }

  close(): void {
    this.#server?.close();
  }
}
