/**
 * The names of a worker: what the primary tells it, ahead and when it asks, and who hears that.
 *
 *   orders  p    make routers · 1 2  /svc/a is bound to one endpoint, to two
 *   names   1 2  the same, as a router hears it
 *   said    w u  watch /svc/a, and let it go
 */
import { test } from 'node:test';
import { filter, map, mergeMap, type Observable, takeUntil, timer } from 'rxjs';
import type { Resolution } from '../src/interpreter/interpreter.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import type { Order, Word } from '../src/workers/protocol.ts';
import { bound } from '../test/support/balancer.ts';
import { makeBench, PREPARE } from '../test/support/worker-bench.ts';

const DST = '/svc/a' as Path;

const resolved = (...endpoints: readonly string[]): Order => ({
  t: 'resolved',
  rt: 'main',
  dst: DST,
  resolution: bound(...endpoints),
});

const ORDERS = { p: PREPARE, 1: resolved('A'), 2: resolved('A', 'B') };

/** Of what a worker says, what is of names. */
const ofNames = (said$: Observable<Word>): Observable<string> =>
  said$.pipe(
    filter(({ t }) => t === 'watch' || t === 'unwatch'),
    map(({ t }) => (t === 'watch' ? 'w' : 'u')),
  );

const endpointsOf = (resolution: Resolution): string =>
  resolution.t === 'bound' ? String(resolution.endpoints.length) : resolution.t;

/** A worker that obeys the diagram; `asked` is a router that holds the name from one time to another. */
const hearing = ({ env, hot, time }: Marbles, orders: string) => {
  const { said$, names } = makeBench(env, hot(orders, ORDERS));
  const asked = (from: string, until: string): Observable<string> =>
    timer(time(from), env.scheduler).pipe(
      mergeMap(() => names().resolve(DST)),
      map(endpointsOf),
      takeUntil(timer(time(until), env.scheduler)),
    );
  return { said$: ofNames(said$), asked };
};

const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body));
};

told('who asks for a name that was told ahead has it at once, and hears what comes after', (m) => {
  const { said$, asked } = hearing(m, '1p---2--');
  m.expect(asked('                            --|', '------|')).toBe('--1--2|');
  m.expect(said$, '                           -------!').toBe('--w---u');
});

told('what was told ahead last counts, for a minute', (m) => {
  const { said$, asked } = hearing(m, '12p-----');
  m.expect(asked('                            59999ms |', '60001ms |')).toBe('59999ms 2-|');
  m.expect(said$, '                           60005ms !').toBe('59999ms w-u');
});

told('it is for the first who asks: who asks again waits for the primary', (m) => {
  const { said$, asked } = hearing(m, '1p-----2-');
  m.expect(asked('                            --|', '---|')).toBe('--1|');
  m.expect(asked('                            -----|', '--------|')).toBe('-------2|');
  m.expect(said$, '                           ---------!').toBe('--wu-w--u');
});

told('what nobody has asked for in the first minute is forgotten', (m) => {
  const { said$, asked } = hearing(m, '1p------');
  m.expect(asked('                            60001ms |', '60003ms |')).toBe('60003ms |');
  m.expect(said$, '                           60005ms !').toBe('60001ms w-u');
});

told('after that minute what comes for a name that nobody holds is of no use', (m) => {
  const { said$, asked } = hearing(m, '-p 59999ms 1--');
  m.expect(asked('                            60003ms |', '60005ms |')).toBe('60003ms --|');
  m.expect(said$, '                           60006ms !').toBe('60003ms w-u');
});
