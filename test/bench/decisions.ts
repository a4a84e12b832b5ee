/** What routing costs in memory, with few and with many endpoints and names, beside a get and a set of a `Map`. */
import { ignoreElements, Subject, tap } from 'rxjs';
import { choose } from '../../src/balancer/select.ts';
import { type Dial, makeState, type State } from '../../src/balancer/state.ts';
import { step } from '../../src/balancer/step.ts';
import { type BinderSetup, bind } from '../../src/binder.ts';
import type { Envelope } from '../../src/envelope.ts';
import type { Path } from '../../src/path.ts';
import { makeTimers } from '../../src/timers.ts';
import { bound, POLICY } from '../support/balancer.ts';
import { REAL } from '../support/naming.ts';

const UNITS = 200_000;

/** Connections open per endpoint while it is measured. */
const OPEN_EACH = 2;

/** A piece of work that is measured. */
export interface Work {
  readonly name: string;
  /** Does `UNITS` units; what it gives keeps the work from being optimised away. */
  readonly run: () => number;
}

/** The yardstick. */
export const useMap = (): Work => {
  const map = new Map(Array.from({ length: 1000 }, (_, i) => [i, i]));
  return {
    name: 'Map get + set',
    run: () => {
      let sum = 0;
      for (let i = 0; i < UNITS; i++) {
        const key = (i * 7919) % 1000;
        sum += map.get(key) ?? 0;
        map.set(key, i);
      }
      return sum;
    },
  };
};

/** Takes one connection in and to its endpoint; gives its dial. */
const open = (state: State, conn: number, at: number): number => {
  const [command] = step(state, { t: 'arrived', at, conn, deadline: at + 10_000 });
  if (command?.t !== 'connect') throw new Error(`not dialed: ${command?.t}`);
  step(state, { t: 'connected', at, dial: command.dial });
  return command.dial;
};

const filled = (endpoints: number): State => {
  const state = makeState(POLICY, 0.5);
  const names = Array.from({ length: endpoints }, (_, i) => `E${i}*${1 + (i % 3)}`);
  step(state, { t: 'resolved', at: 0, resolution: bound(...names) });
  for (let conn = 0; conn < OPEN_EACH * endpoints; conn++) open(state, conn, 0);
  return state;
};

/** A decision of the balancer. */
export const useChoose = (endpoints: number): Work => {
  const state = filled(endpoints);
  return {
    name: `choose, ${endpoints} endpoints`,
    run: () => {
      let sum = 0;
      for (let i = 0; i < UNITS; i++) sum += choose(state, state.live)?.index ?? 0;
      return sum;
    },
  };
};

/** A whole connection for the balancer: arrived, connected, closed. */
export const useSteps = (endpoints: number): Work => {
  const state = filled(endpoints);
  const dials: number[] = [...state.dials.values()].map((dial: Dial) => dial.id);
  let at = 1;
  let conn = dials.length;
  return {
    name: `whole connection, ${endpoints} endpoints`,
    run: () => {
      for (let i = 0; i < UNITS; i++) {
        at += 0.1;
        const oldest = conn % dials.length;
        step(state, { t: 'closed', at, dial: dials[oldest] ?? 0, spurned: false });
        dials[oldest] = open(state, conn++, at);
      }
      return conn;
    },
  };
};

/** Balancers of one endpoint each, by name; all that a binder asks for. */
const setupOf = (names: number): BinderSetup => ({
  limits: () => ({ paths: names, idleTtlSecs: 600 }),
  timers: makeTimers(REAL.scheduler),
  balance: () => {
    const state = filled(1);
    return (envelope$) =>
      envelope$.pipe(
        tap(({ id, at }) =>
          step(state, { t: 'closed', at, dial: open(state, id, at), spurned: false }),
        ),
        ignoreElements(),
      );
  },
  refuse: () => {
    throw new Error('there is room for all');
  },
  named: () => undefined,
  unnamed: () => undefined,
  broken: (_dst, error) => {
    throw error;
  },
  found: () => undefined,
});

/** A connection on its way to its name, and through the balancer there; each goes to another name than the one before. */
export const useNames = (names: number): Work => {
  const envelope$ = new Subject<Envelope>();
  envelope$.pipe(bind(setupOf(names))).subscribe();
  const dsts = Array.from({ length: names }, (_, i) => `/svc/${i}` as Path);
  let id = 1_000_000;
  const say = (i: number): void => {
    id += 1;
    const dst = dsts[(i * 7919) % names] ?? ('/' as Path);
    const at = id / 10;
    envelope$.next({ id, rt: 'r', srv: '', src: '', dst, rule: '', at, deadline: 1e9 });
  };
  return {
    name: `to one of ${names} names`,
    run: () => {
      for (let i = 0; i < UNITS; i++) say(i);
      return id;
    },
  };
};

/** ns per unit of each in each round, the rounds alternating; the first three warm up. */
export const measureWork = (
  all: readonly Work[],
  rounds: number,
): readonly (readonly number[])[] => {
  const costs = all.map((): number[] => []);
  let sum = 0;
  for (let round = -3; round < rounds; round++) {
    for (const [i, { run }] of all.entries()) {
      const from = performance.now();
      sum += run();
      const ns = ((performance.now() - from) * 1e6) / UNITS;
      if (round >= 0) costs[i]?.push(ns);
    }
  }
  if (Number.isNaN(sum)) throw new Error('nothing was measured');
  return costs;
};
