/**
 * How the binder gives each name one balancer, keeps it while it is of use, and lets it go.
 *
 *   conns   a c  to /svc/a      b  to /svc/b      d  to /svc/d      e  to /svc/a; it makes c arrive
 *   look    a balancer’s life, and what it says of itself: 1 something streams · 0 idle, its set is good
 *           n idle, nothing good is known · s idle, its set is stale · # it breaks
 *   routed  a b c d e  the connection has reached its balancer       A B D  it is refused
 *
 * A name that is idle for 7 ms is let go, and there is room for 10 names, unless a test says otherwise.
 */
import { test } from 'node:test';
import {
  endWith,
  ignoreElements,
  map,
  merge,
  type Observable,
  Subject,
  share,
  takeUntil,
  takeWhile,
  tap,
  throwError,
} from 'rxjs';
import type { Status } from '../src/balancer/balance.ts';
import { bind } from '../src/binder.ts';
import type { Envelope } from '../src/envelope.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { makeTimers, type Timers } from '../src/timers.ts';

const envelope = (letter: string, dst: string): Envelope => ({
  id: letter.charCodeAt(0),
  rt: 'test',
  rule: '',
  srv: '',
  src: letter,
  dst: dst as Path,
  at: 0,
  deadline: Number.POSITIVE_INFINITY,
});

const CONNS = {
  a: envelope('a', '/svc/a'),
  b: envelope('b', '/svc/b'),
  c: envelope('c', '/svc/a'),
  d: envelope('d', '/svc/d'),
  e: envelope('e', '/svc/a'),
};

const STATUS: Readonly<Record<string, Status>> = {
  1: { idle: false, quality: 'good' },
  0: { idle: true, quality: 'good' },
  n: { idle: true, quality: 'bad' },
  s: { idle: true, quality: 'stale' },
};

interface Names {
  readonly conns: string;
  /** The balancer of each name, cold: every life of it begins anew. */
  readonly look: Readonly<Record<string, Observable<string>>>;
  readonly paths?: number;
  readonly idleSecs?: number;
  readonly timers?: Timers;
}

/** What has reached a balancer, and what was refused. Ends when the binder does. */
const binding = (m: Marbles, names: Names): Observable<string> => {
  const { conns, look, paths = 10, idleSecs = 0.007 } = names;
  const { timers = makeTimers(m.env.scheduler) } = names;
  const told$ = new Subject<string>();
  const caused$ = new Subject<Envelope>();
  const none = throwError(() => new Error('no such look-up'));
  const balance =
    (dst: Path, status: (status: Status) => void) =>
    (given$: Observable<Envelope>): Observable<never> => {
      const envelope$ = given$.pipe(share());
      const over$ = envelope$.pipe(ignoreElements(), endWith(true));
      const look$ = (look[dst] ?? none).pipe(
        tap((letter) => status(STATUS[letter] ?? { idle: false, quality: 'bad' })),
        takeUntil(over$),
      );
      const routed$ = envelope$.pipe(
        tap(({ src }) => {
          if (src === 'e') caused$.next(CONNS.c);
          told$.next(src);
        }),
      );
      return merge(look$, routed$).pipe(ignoreElements());
    };
  const over$ = m.hot(conns).pipe(ignoreElements(), endWith(true));
  const bound$ = merge(caused$.pipe(takeUntil(over$)), m.hot(conns, CONNS)).pipe(
    bind({
      limits: () => ({ paths, idleTtlSecs: idleSecs }),
      timers,
      balance,
      refuse: ({ src }) => told$.next(src.toUpperCase()),
      named: () => undefined,
      unnamed: () => undefined,
      broken: () => undefined,
      found: () => undefined,
    }),
    endWith(''),
  );
  return merge(told$, bound$).pipe(takeWhile((told) => told !== ''));
};

const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body));
};

told('asks once per name', (m) => {
  const conns = '   -a-b-c----|';
  const a = m.cold('  1---------');
  const b = m.cold('    1-------');
  const expected = ' -a-b-c----|';
  m.expect(binding(m, { conns, look: { '/svc/a': a, '/svc/b': b } })).toBe(expected);
  m.subs(a).toBe('   -^--------!');
  m.subs(b).toBe('   ---^------!');
});

told('lets go of an idle name and asks again', (m) => {
  const conns = '   -a--c---------------a---|';
  const a = m.cold('  1----0                  ');
  const expected = ' -a--c---------------a---|';
  m.expect(binding(m, { conns, look: { '/svc/a': a } })).toBe(expected);
  m.subs(a).toBe(['  -^-----------!', '       --------------------^---!']);
});

told('the same in production’s units', (m) => {
  const conns = '   a 90s a 10s |';
  const a = m.cold('  1 5s 0');
  const expected = ' a 90s a 10s |';
  m.expect(binding(m, { conns, look: { '/svc/a': a }, idleSecs: 60 })).toBe(expected);
  m.subs(a).toBe(['  ^ 65s !', '90001ms ^ 10s !']);
});

told('a name that is used again in time is kept', (m) => {
  const conns = '   a----c--------------|';
  const a = m.cold('  1-0---1--0----------');
  const expected = ' a----c--------------|';
  m.expect(binding(m, { conns, look: { '/svc/a': a } })).toBe(expected);
  m.subs(a).toBe('   ^---------------!');
});

told('a name whose set is stale is kept, until it is fresh again', (m) => {
  const conns = '   a---------------------------------|';
  const a = m.cold('  1-s--------------0');
  const expected = ' a---------------------------------|';
  m.expect(binding(m, { conns, look: { '/svc/a': a } })).toBe(expected);
  m.subs(a).toBe('   ^----------------------!');
});

told('at the cap the name longest idle makes room', (m) => {
  const conns = '   a-b-----d----|';
  const a = m.cold('  1--0          ');
  const b = m.cold('    1--0        ');
  const d = m.cold('          1     ');
  const expected = ' a-b-----d----|';
  const look = { '/svc/a': a, '/svc/b': b, '/svc/d': d };
  m.expect(binding(m, { conns, look, paths: 2, idleSecs: 60 })).toBe(expected);
  m.subs(a).toBe('   ^-------!     ');
  m.subs(b).toBe('   --^----------!');
  m.subs(d).toBe('   --------^----!');
});

told('at the cap a name of which nothing good is known goes first', (m) => {
  const conns = '   a-b-----d----|';
  const a = m.cold('  1--0          ');
  const b = m.cold('    1--n        ');
  const d = m.cold('          1     ');
  const expected = ' a-b-----d----|';
  const look = { '/svc/a': a, '/svc/b': b, '/svc/d': d };
  m.expect(binding(m, { conns, look, paths: 2, idleSecs: 60 })).toBe(expected);
  m.subs(a).toBe('   ^------------!');
  m.subs(b).toBe('   --^-----!     ');
});

told('at the cap a stale set goes last, but it goes', (m) => {
  const conns = '   a-b-----d--b-|';
  const a = m.cold('  1--s          ');
  const b = m.cold('    1--0        ');
  const d = m.cold('          1     ');
  const expected = ' a-b-----d--b-|';
  const look = { '/svc/a': a, '/svc/b': b, '/svc/d': d };
  m.expect(binding(m, { conns, look, paths: 2, idleSecs: 60 })).toBe(expected);
  m.subs(a).toBe('   ^----------!  ');
  m.subs(b).toBe(['  --^-----!     ', '-----------^-!']);
});

told('when all names are in use a new one is refused', (m) => {
  const conns = '   a-b--d--c--|';
  const a = m.cold('  1           ');
  const b = m.cold('    1         ');
  const expected = ' a-b--D--c--|';
  m.expect(binding(m, { conns, look: { '/svc/a': a, '/svc/b': b }, paths: 2 })).toBe(expected);
  m.subs(a).toBe('   ^----------!');
  m.subs(b).toBe('   --^--------!');
});

told('one balancer’s failure leaves the others, and its name works again', (m) => {
  const conns = '   a-b-----c-----a--|';
  const a = m.cold('  1---#             ');
  const b = m.cold('    1               ');
  const expected = ' a-b-----c-----a--|';
  m.expect(binding(m, { conns, look: { '/svc/a': a, '/svc/b': b } })).toBe(expected);
  m.subs(a).toBe(['  ^---!             ', '--------^---!', '--------------^--!']);
  m.subs(b).toBe('   --^--------------!');
});

told('a connection that is caused by another comes after it', (m) => {
  const conns = '   -e-----|';
  const a = m.cold('  1-----');
  const expected = ' -(ec)--|';
  m.expect(binding(m, { conns, look: { '/svc/a': a } })).toBe(expected);
  m.subs(a).toBe('   -^-----!');
});

told('two connections in one frame share one look-up', (m) => {
  const conns = '   -(ac)--|';
  const a = m.cold('  1-----');
  const expected = ' -(ac)--|';
  m.expect(binding(m, { conns, look: { '/svc/a': a } })).toBe(expected);
  m.subs(a).toBe('   -^-----!');
});

told('names that make room leave no timer behind', (m) => {
  const conns = '   a-b-a-b-a-|';
  const a = m.cold('  n');
  const b = m.cold('  n');
  const expected = ' a-b-a-b-a-|';
  const timers = makeTimers(m.env.scheduler);
  const sizes = m.hot('---------?').pipe(map(() => timers.size()));
  const names = { conns, look: { '/svc/a': a, '/svc/b': b }, paths: 1, idleSecs: 60, timers };
  m.expect(binding(m, names)).toBe(expected);
  m.expect(sizes).toBe('---------n', { n: 1 });
  m.subs(a).toBe(['  ^-!', '----^-!', '--------^-!']);
  m.subs(b).toBe(['  --^-!', '------^-!']);
});

told('whoever leaves ends every look-up at once', (m) => {
  const conns = '   a-b-------';
  const a = m.cold('  1---------');
  const b = m.cold('    1-------');
  const expected = ' a-b-------';
  const whole = '    ^-----!';
  m.expect(binding(m, { conns, look: { '/svc/a': a, '/svc/b': b } }), whole).toBe(expected);
  m.subs(a).toBe('   ^-----!');
  m.subs(b).toBe('   --^---!');
});
