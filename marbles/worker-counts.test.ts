/**
 * What a worker says of its counts, unasked: so much is lost at most when it is killed.
 *
 *   happens  p  make routers · e  an event · o c  a connection opens, closes · b  bytes pass, which no event tells
 *            t  its timers are counted
 *   said     s  its counts · 1  timers
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filter, map, merge, type Observable, of, tap } from 'rxjs';
import type { Snapshot } from '../src/admin/snapshot.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { makeBench, PREPARE } from '../test/support/worker-bench.ts';

/** A worker to which happens what the diagram tells. */
const counting = ({ env, hot }: Marbles, diagram: string) => {
  let held = 0;
  let bytes = 0;
  const snapshot = (): Snapshot => [
    {
      serial: 0,
      scope: 'server',
      labels: { rt: 'main', srv_addr: '127.0.0.1:1' },
      counters: new Map([['l5d:srv:stream:tx_bytes', bytes]]),
      split: new Map(),
      stats: new Map(),
      gauges: new Map([['l5d:srv:active', held]]),
    },
  ];
  const { said$, happen, timers } = makeBench(env, of(PREPARE), snapshot);
  const happens$ = hot(diagram).pipe(
    tap((letter) => {
      if (letter === 'o') held += 1;
      if (letter === 'c') held -= 1;
      if (letter === 'b') bytes += 1;
      else if (letter !== 't') happen();
    }),
    filter((letter) => letter === 't'),
    map(() => String(timers.size())),
  );
  const told$: Observable<string> = said$.pipe(
    filter(({ t }) => t === 'counts'),
    map(() => 's'),
  );
  return { told$: merge(told$, happens$), timers };
};

const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body));
};

told('it says them once, 2 s after the first of what has happened', (m) => {
  const { told$ } = counting(m, 'e 998ms e 998ms e---');
  m.expect(told$, '             ^ 60m !').toBe('2s s');
});

told('it says them every 2 s while something happens', (m) => {
  const { told$ } = counting(m, 'e 2s e 2s e');
  m.expect(told$, '             ^ 60m !').toBe('2s s 2s s 2s s');
});

told(
  'of bytes no event tells: it looks while a connection is held, and says them if any have passed',
  (m) => {
    const { told$ } = counting(m, 'o 2999ms b 10s b 9s c');
    m.expect(told$, '             ^ 60m !').toBe('2s s 1999ms s 9999ms s 9999ms s');
  },
);

told('while nothing happens and nothing is held it has no timer', (m) => {
  const { told$, timers } = counting(m, 'o 999ms c');
  m.expect(told$, '             ^ 2m !').toBe('2s s');
  m.flush();
  assert.equal(timers.size(), 0);
});

told('while a connection is held it has one, whatever happens', (m) => {
  const { told$ } = counting(m, 'o 2999ms e 60s tc');
  m.expect(told$, '             ^ 60m !').toBe('2s s 1999ms s 59s 1 998ms s');
});
