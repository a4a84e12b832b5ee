/** A worker on the bench: real but for its routers, of which a test says what they count. */
import { right } from 'fp-ts/lib/Either.js';
import { EMPTY, merge, NEVER, type Observable, of, Subject } from 'rxjs';
import type { Snapshot } from '../../src/admin/snapshot.ts';
import type { LocalEngine } from '../../src/engine.ts';
import type { Env } from '../../src/env.ts';
import type { Interpreter } from '../../src/interpreter/interpreter.ts';
import { loadUnopened } from '../../src/testing/unopened.ts';
import { makeTimers, type Timers } from '../../src/timers.ts';
import type { Order, Word } from '../../src/workers/protocol.ts';
import { worker } from '../../src/workers/worker.ts';

/** Has a worker make its routers. */
export const PREPARE: Order = {
  t: 'prepare',
  ask: 1,
  config: loadUnopened({
    routers: [
      {
        label: 'main',
        interpreter: { kind: 'static', names: {} },
        servers: [{ port: 1, dstName: '/svc/a' }],
      },
    ],
  }),
};

const nothing = (): void => undefined;

const engineOf = (snapshot: () => Snapshot): LocalEngine => ({
  prepare: () => of(right({ commit: nothing, cancel: nothing })),
  run: () => NEVER,
  stop: nothing,
  cut: nothing,
  metrics: () => Promise.resolve(''),
  routers: () => [],
  preview: () => undefined,
  recording: () => [],
  explain: () => EMPTY,
  snapshot,
});

/** What a bench shows of its worker. */
export interface Bench {
  /** Runs it, and tells what it says. */
  readonly said$: Observable<Word>;
  /** Its interpreter of the router `main`, from `PREPARE` on. */
  readonly names: () => Interpreter;
  /** Something happens in its routers, from `PREPARE` on. */
  readonly happen: () => void;
  readonly timers: Timers;
}

/** Makes a worker that obeys these orders. */
export const makeBench = (
  env: Env,
  order$: Observable<Order>,
  snapshot: () => Snapshot = () => [],
): Bench => {
  const word$ = new Subject<Word>();
  const timers = makeTimers(env.scheduler);
  let happen = nothing;
  let names: Interpreter = { resolve: () => NEVER };
  const over$ = worker({
    order$,
    say: (word) => word$.next(word),
    engine: (_, interpret, heard) => {
      happen = () => heard({ t: 'strayed', rt: 'main', name: 'own' });
      names = interpret('main');
      return engineOf(snapshot);
    },
    configure: nothing,
    timers,
  });
  return {
    said$: merge(word$, over$ as Observable<never>),
    names: () => names,
    happen: () => happen(),
    timers,
  };
};
