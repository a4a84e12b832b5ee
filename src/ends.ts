/** Ends of connections, for those who count what is here: operators. */
import { filter, type Observable, Subject } from 'rxjs';
import type { RouterEvent } from './event.ts';
import type { Ended } from './operators/operator.ts';

/** What passes events on, and the ends among them. */
export interface Ends {
  readonly report: (event: RouterEvent) => void;
  /** Connections of a router as they end. */
  readonly ended: (rt: string) => Observable<Ended>;
}

/** Passes events on, and tells routers of their connections’ ends; it costs nothing where nobody listens. */
export const tellEnds = (report: (event: RouterEvent) => void): Ends => {
  const ended$ = new Subject<Ended & { readonly rt: string }>();
  return {
    report: (event) => {
      report(event);
      if (event.t !== 'ended' || !ended$.observed) return;
      const { envelope, close } = event.record;
      ended$.next({ id: envelope.id, rt: envelope.rt, reason: close.reason });
    },
    ended: (rt) => ended$.pipe(filter((ended) => ended.rt === rt)),
  };
};
