/** Workers as processes of their own, which share the listening sockets. */
import cluster, { type Worker } from 'node:cluster';
import { ReplaySubject, Subject } from 'rxjs';
import type { Child } from './crew.ts';
import type { Order, Word } from './protocol.ts';

/** Names a worker’s slot in its environment. */
export const SLOT = 'LINKERD_TCP_WORKER';

const adopt = (worker: Worker): Child => {
  const word$ = new Subject<Word>();
  const exit$ = new ReplaySubject<void>(1);
  worker.on('message', (word: Word) => word$.next(word));
  // One that cannot be begun at all tells an error and no exit.
  const over = (): void => {
    word$.complete();
    exit$.next();
  };
  worker.on('exit', over).on('error', over);
  return {
    word$,
    exit$,
    tell: (order) => {
      if (worker.isConnected()) worker.send(order, () => undefined);
    },
    kill: () => {
      if (!worker.isDead()) worker.process.kill('SIGKILL');
    },
  };
};

/**
 * Begins processes that run this same program. The system hands each connection to whichever of them takes it:
 * passing them out in turn costs half as much again as a connection itself.
 */
export const makeSpawn = (): ((slot: number) => Child) => {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // Configs hold maps and infinities.
  cluster.setupPrimary({ serialization: 'advanced' });
  return (slot) => adopt(cluster.fork({ [SLOT]: String(slot) }));
};

/** The other end: what a worker hears from its primary, and how it answers. */
export const primaryOf = (
  process: NodeJS.Process,
): { readonly order$: Subject<Order>; readonly say: (word: Word) => void } => {
  const order$ = new Subject<Order>();
  process.on('message', (order: Order) => order$.next(order));
  return {
    order$,
    say: (word) => {
      process.send?.(word, undefined, {}, () => undefined);
    },
  };
};
