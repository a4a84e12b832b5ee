/** The balancer of one name at work: `step` as a `scan`, its commands performed, their outcomes fed back. */
import {
  concat,
  defer,
  finalize,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  Subject,
  scan,
  takeWhile,
  tap,
} from 'rxjs';
import type { ClientPolicy } from '../config/config.ts';
import type { Env } from '../env.ts';
import type { Envelope } from '../envelope.ts';
import type { Resolution } from '../interpreter/interpreter.ts';
import { serialize } from '../serialize.ts';
import type { Timers } from '../timers.ts';
import type { MakeLoadBalancer } from './load-balancer.ts';
import type { Command, Event } from './messages.ts';
import { makeState, type State } from './state.ts';
import { isIdle, step } from './step.ts';
import { makeUpkeep, type Status } from './upkeep.ts';

export type { Status } from './upkeep.ts';

/** What happened to a command, before it is stamped with the time. */
export type Outcome = Event extends infer E
  ? E extends { readonly t: 'connected' | 'connectFailed' | 'answered' | 'closed' | 'lost' }
    ? Omit<E, 'at'>
    : never
  : never;

/** The event that an outcome is at a moment. Written out: a spread costs more than the step itself. */
const stamp = (outcome: Outcome, at: number): Event => {
  const { t, dial } = outcome;
  switch (t) {
    case 'connectFailed':
      return { t, at, dial, cause: outcome.cause, detail: outcome.detail };
    case 'closed':
      return { t, at, dial, spurned: outcome.spurned };
    default:
      return { t, at, dial };
  }
};

const arrival = ({ id, deadline }: Envelope, at: number): Event => ({
  t: 'arrived',
  at,
  conn: id,
  deadline,
});

/** Takes what comes of a command. */
export type Tell = (outcome: Outcome) => void;

/**
 * How commands become deeds. These are plain calls: an Observable for each dial and each stream would
 * cost more than all the rest of a connection’s way through the router.
 */
export interface Ports {
  /** Calls back once if the client of a waiting connection goes away. */
  readonly watchClient: (conn: number, departed: (detail: string) => void) => void;
  /** Performs a command, and tells what comes of it, at once or later. Never throws for what the world does. */
  readonly perform: (command: Command, tell: Tell) => void;
  /** What streams have moved since it was asked last, in bytes by the text of their endpoint. */
  readonly sample: () => ReadonlyMap<string, number>;
  /** Drops dials and spares: the balancer is over. Streams go on. */
  readonly close: () => void;
}

/** What the balancer of one name works with. */
export interface BalanceSetup {
  readonly policy: ClientPolicy;
  /** Emits when a reload changes the policy. */
  readonly policy$: Observable<ClientPolicy>;
  /** Makes load balancers of plugins; absent: they leave all to `p2c`. */
  readonly loadBalancer?: MakeLoadBalancer;
  readonly resolution$: Observable<Resolution>;
  readonly ports: Ports;
  readonly timers: Timers;
  /** Gets the state to read from, at the start. It must not keep copies of what is inside. */
  readonly opened: (state: State) => void;
  /** Gets each event with what was decided, before that is performed. It must not change them. */
  readonly noted?: (event: Event, commands: readonly Command[]) => void;
  readonly status: (status: Status) => void;
}

/** Let go, with nothing open: the balancer has nothing left to do. */
const isOver = (state: State): boolean => state.released && state.dials.size === 0 && isIdle(state);

/**
 * Balances the envelopes of one name. `envelope$` ends when the name is let go; the Observable then
 * completes with its last stream. It emits nothing: all that happens is told through the ports.
 * Order: events are taken one at a time; one that is caused by a command waits for the batch of commands
 * to be performed. Errors: only a fault of our own. Unsubscribing drops dials and spares; streams go on.
 */
export const balance = (
  setup: BalanceSetup,
  env: Env,
): ((envelope$: Observable<Envelope>) => Observable<never>) => {
  const { ports, timers, noted } = setup;
  const { now } = timers;
  const outcome$ = new Subject<Event>();
  const watch = (conn: number): void =>
    ports.watchClient(conn, (detail) => outcome$.next({ t: 'departed', at: now(), conn, detail }));
  const tell = (outcome: Outcome): void => outcome$.next(stamp(outcome, now()));
  const released$ = defer(() => of<Event>({ t: 'released', at: now() }));

  return (envelope$) => {
    const state = makeState(setup.policy, env.random(), setup.loadBalancer);
    const upkeep = makeUpkeep(timers, {
      ticked: () => outcome$.next({ t: 'ticked', at: now() }),
      sampled: () => outcome$.next({ t: 'sampled', at: now(), moved: ports.sample() }),
      status: setup.status,
    });
    setup.opened(state);
    // Outcomes come first: what the others cause while they are subscribed must find them listening.
    return merge(
      outcome$,
      setup.policy$.pipe(map((policy): Event => ({ t: 'configured', at: now(), policy }))),
      setup.resolution$.pipe(
        map((resolution): Event => ({ t: 'resolved', at: now(), resolution })),
      ),
      concat(envelope$.pipe(map((envelope) => arrival(envelope, now()))), released$),
    ).pipe(
      serialize(),
      scan((_: readonly Command[], event) => {
        // Inside the trampoline: that a client has gone already is told after it has arrived, not before.
        if (event.t === 'arrived') watch(event.conn);
        const commands = step(state, event);
        noted?.(event, commands);
        return commands;
      }, []),
      tap(() => upkeep.after(state)),
      takeWhile(() => !isOver(state), true),
      tap((commands) => {
        for (const command of commands) ports.perform(command, tell);
      }),
      ignoreElements(),
      finalize(() => {
        upkeep.drop();
        ports.close();
      }),
    );
  };
};
