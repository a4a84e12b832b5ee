/** The listeners of all interfaces across reloads: new ones are bound before old ones close. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { defer, forkJoin, map, type Observable, of, ReplaySubject, take } from 'rxjs';
import type { InterfaceConfig } from '../config/build-namerd.ts';
import type { Env } from '../env.ts';
import type { Counts } from './exchanges.ts';
import type { Handle } from './handle.ts';
import { type Listening, listen } from './server.ts';

interface Open {
  readonly config: InterfaceConfig;
  readonly listening: Listening;
  readonly close: () => void;
}

/** Listeners that are bound and not yet in use. */
export interface Reserved {
  /** Takes them into use, and those that are kept as they are meant to be now; closes the others, with their watches. */
  readonly commit: () => void;
  readonly cancel: () => void;
}

type Named = readonly [key: string, config: InterfaceConfig];

/** Of several on one address, such as a free port, each is one of its own. */
const named = (configs: readonly InterfaceConfig[]): readonly Named[] => {
  const seen = new Map<string, number>();
  return configs.map((config) => {
    const { text } = config.address;
    const nth = seen.get(text) ?? 0;
    seen.set(text, nth + 1);
    return [`${text} ${nth}`, config];
  });
};

/** Whether its listener can go on as another configuration has it. */
const isKept = ({ tls: one }: InterfaceConfig, { tls: other }: InterfaceConfig): boolean =>
  (one === undefined) === (other === undefined) && one?.requestCert === other?.requestCert;

/** Owns every listener of the API. Bounds: those of the config in force. */
export class Interfaces {
  readonly #handle: Handle;
  readonly #env: Env;
  #open: ReadonlyMap<string, Open> = new Map();

  constructor(handle: Handle, env: Env) {
    this.#handle = handle;
    this.#env = env;
  }

  /** What all of them have counted. */
  counts(): Counts {
    const all = [...this.#open.values()].map(({ listening }) => listening.counts());
    const sum = (key: keyof Counts): number => all.reduce((total, one) => total + one[key], 0);
    return { watches: sum('watches'), requests: sum('requests'), refused: sum('refused') };
  }

  /** Binds what is not bound yet: all of it, or, with the errors told, none. */
  reserve(configs: readonly InterfaceConfig[]): Observable<Either<readonly string[], Reserved>> {
    const wanted = named(configs);
    const odd = wanted.flatMap(([key, config]) => {
      const open = this.#open.get(key);
      return open === undefined || isKept(open.config, config) ? [] : [config.place];
    });
    if (odd.length > 0)
      return of(
        left(
          odd.map(
            (place) =>
              `${place}.tls: expected no other kind of TLS and of client authentication on an address in use; restart, or take another port`,
          ),
        ),
      );
    const missing = wanted.filter(([key]) => !this.#open.has(key));
    if (missing.length === 0) return of(right(this.#reserved(wanted, new Map())));
    return forkJoin(missing.map(([key, config]) => this.#bind(key, config))).pipe(
      map((bound) => {
        const fresh = new Map(bound.flatMap((one) => (isLeft(one) ? [] : [one.right])));
        const errors = bound.flatMap((one) => (isLeft(one) ? [one.left] : []));
        const reserved = this.#reserved(wanted, fresh);
        if (errors.length === 0) return right(reserved);
        reserved.cancel();
        return left(errors);
      }),
    );
  }

  /** Closes all of them. */
  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open = new Map();
  }

  #bind(key: string, config: InterfaceConfig): Observable<Either<string, readonly [string, Open]>> {
    return defer(() => {
      const listening$ = new ReplaySubject<Either<string, Listening>>(1);
      const setup = { ...config, place: `${config.place}.port`, handle: this.#handle };
      const serving = listen(setup, this.#env).subscribe(listening$);
      const close = (): void => serving.unsubscribe();
      return listening$.pipe(
        take(1),
        map((listening) => {
          if (!isLeft(listening))
            return right([key, { config, listening: listening.right, close }] as const);
          close();
          return listening;
        }),
      );
    });
  }

  #reserved(wanted: readonly Named[], fresh: ReadonlyMap<string, Open>): Reserved {
    return {
      cancel: () => {
        for (const { close } of fresh.values()) close();
      },
      commit: () => {
        const before = this.#open;
        this.#open = new Map(
          wanted.flatMap(([key, config]) => {
            const open = fresh.get(key) ?? before.get(key);
            return open === undefined ? [] : [[key, { ...open, config }] as const];
          }),
        );
        for (const [key, { close }] of before) if (!this.#open.has(key)) close();
        for (const { config, listening } of this.#open.values()) listening.renew(config);
        for (const { listening } of fresh.values())
          this.#env.log('info', 'namerd listening', { addr: listening.address });
      },
    };
  }
}
