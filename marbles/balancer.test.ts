/**
 * How a balancer joins connections with endpoints, as its world changes around it.
 *
 *   conns   x y z  connections
 *   gone    x y z  their clients go away
 *   names   r bound to A · s to A and B · o to B · e to nothing · z to A and B at weight 0 · y to A at 0 and B
 *           n neg · p pending · f failed
 *   dial    s connected                          stream   e end
 *   told    a b    a dial to A, to B             A B      such a dial is dropped
 *           0 1 2  x, y, z is joined with A      5 6 7    x, y, z is joined with B
 *           X Y Z  x, y, z is refused, for the reason that stands beside the diagram
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filter, map, type Observable } from 'rxjs';
import type { Status } from '../src/balancer/balance.ts';
import type { State } from '../src/balancer/state.ts';
import { viewName } from '../src/balancer/view.ts';
import type { CloseReason } from '../src/close-reason.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { balancing, type World } from '../test/support/balancing.ts';

const COMMANDS = { a: 'connect A', b: 'connect B', A: 'abort A', B: 'abort B' };
const JOINED = { 0: 'x to A', 1: 'y to A', 2: 'z to A', 5: 'x to B', 6: 'y to B', 7: 'z to B' };

type Tells = (world: World, diagram: string, reason?: CloseReason) => void;

const told = (title: string, body: (m: Marbles, tells: Tells) => void): void => {
  test(title, () =>
    marbles((m) =>
      body(m, (world, diagram, reason) => {
        const refused = { X: `x ${reason}`, Y: `y ${reason}`, Z: `z ${reason}` };
        m.expect(balancing(m, world)).toBe(diagram, { ...COMMANDS, ...JOINED, ...refused });
      }),
    ),
  );
};

told('parks the first waiter until addresses come', (m, tells) => {
  const conns = '  --x------';
  const names = '  -----r---';
  const A = m.cold('     --s');
  const expected = '-----a-0-';
  tells({ conns, names, dials: { A } }, expected);
  m.subs(A).toBe('  -----^-!');
});

told('refuses at the deadline, and drops the dial', (m, tells) => {
  const conns = '  --x---------';
  const names = '  r-----------';
  const A = m.cold('  --------s---');
  const expected = '--a----(AX)';
  tells({ conns, waitMs: 5, names, dials: { A } }, expected, 'connect-timeout');
  m.subs(A).toBe('  --^----!');
});

told('each has its own deadline, wherever it stands in line', (_, tells) => {
  const conns = '  x  4s y 1s z';
  const names = '  -';
  const expected = '10s X 4s Y 1s Z';
  tells({ conns, waitMs: 10_000, names }, expected, 'connect-timeout');
});

told(
  'with an empty set each waits for emptyWaitMs, and no longer for those before it',
  (_, tells) => {
    const conns = '   x 300ms y---------';
    const names = '   e';
    const expected = ' 1s X 300ms Y------';
    tells({ conns, names }, expected, 'no-endpoints');
  },
);

told('the wait for an endpoint begins with the first answer', (_, tells) => {
  const conns = '  xy-------';
  const names = '  -- 5s e--';
  const expected = '6002ms (XY)';
  tells({ conns, names }, expected, 'no-endpoints');
});

told('an endpoint that comes in time ends the wait', (m, tells) => {
  const conns = '   x--';
  const names = '   e 900ms r--';
  const A = m.cold('         -s');
  const expected = ' - 900ms a0';
  tells({ conns, names, dials: { A } }, expected);
  m.subs(A).toBe('   - 900ms ^!');
});

told('endpoints that all weigh 0 take nothing', (_, tells) => {
  const conns = '   x--';
  const names = '   z--';
  const expected = ' 1s X';
  tells({ conns, names }, expected, 'no-endpoints');
});

told('weight 0 keeps what is open and takes nothing new', (m, tells) => {
  const conns = '   x---y--z--';
  const names = '   r--y------';
  const A = m.cold(' -s');
  const B = m.cold('     -s');
  const stream = m.cold('-------e');
  const expected = ' a0--b6-b7-';
  tells({ conns, names, dials: { A, B }, streams: { A: stream } }, expected);
  m.subs(A).toBe('   ^!');
  m.subs(B).toBe(['  ----^!', '-------^!']);
  m.subs(stream).toBe('-^');
});

told('neg refuses at once, and a later bound goes on', (m, tells) => {
  const conns = '   x--y---z---';
  const names = '   -n---r-----';
  const A = m.cold('        -s');
  const expected = ' -X-Y---a2--';
  tells({ conns, names, dials: { A } }, expected, 'no-such-name');
  m.subs(A).toBe('   -------^!');
});

told('neg drops a dial and refuses its waiter; streams go on', (m, tells) => {
  const conns = '   x--y-------';
  const names = '   r----n-----';
  const quick = m.cold('-s');
  const slow = m.cold(' ---s');
  const stream = m.cold('--------e');
  const expected = ' a0-a-(AY)';
  tells(
    { conns, names, dials: { A: [quick, slow] }, streams: { A: stream } },
    expected,
    'no-such-name',
  );
  m.subs(quick).toBe('  ^!');
  m.subs(slow).toBe('  ---^-!');
  m.subs(stream).toBe(' -^');
});

told('failed and pending look-ups keep the last good set', (m, tells) => {
  const conns = '   x-----y--';
  const names = '   r--f-p-f-';
  const A = m.cold(' -s');
  const expected = ' a0----a1-';
  tells({ conns, names, dials: { A } }, expected);
  m.subs(A).toBe([' ^!', '------^!']);
});

test('a failed look-up makes a good set stale, and a good one makes it fresh', () =>
  marbles((m) => {
    const seen: string[] = [];
    const status = ({ quality }: Status): void => {
      if (seen.at(-1) !== quality) seen.push(quality);
    };
    const names = 'f-r-f-p-r-n-e';
    m.expect(balancing(m, { conns: '', names, status })).toBe('');
    m.flush();
    assert.deepEqual(seen, ['bad', 'good', 'stale', 'good', 'bad', 'good']);
  }));

told('an endpoint that leaves takes nothing new; its stream goes on', (m, tells) => {
  const conns = '   x---y---z-';
  const names = '   r--o------';
  const A = m.cold(' -s');
  const B = m.cold('     -s');
  const stream = m.cold('--------e');
  const expected = ' a0--b6--b7';
  tells({ conns, names, dials: { A, B }, streams: { A: stream } }, expected);
  m.subs(A).toBe('   ^!');
  m.subs(B).toBe(['  ----^!', '--------^!']);
  m.subs(stream).toBe('-^');
});

told('a dial to an endpoint that leaves is made anew at another', (m, tells) => {
  const conns = '   x----------';
  const names = '   r--o-------';
  const A = m.cold(' -----s');
  const B = m.cold('    ------s');
  const expected = ' a--(Ab)--5';
  tells({ conns, names, dials: { A, B } }, expected);
  m.subs(A).toBe('   ^--!');
  m.subs(B).toBe('   ---^-----!');
});

test('an endpoint that returns goes on with its load', () =>
  marbles((m) => {
    const seen: string[] = [];
    let state: State | undefined;
    const look = (): void => {
      if (state === undefined) return;
      const { endpoints } = viewName(state, '/svc/web', 0);
      seen.push(endpoints.map((e) => `${e.address} ${e.state} ${e.load}`).join(', '));
    };
    const conns = '      x----------';
    const names = '      r--e--r--e-';
    const A = m.cold('    -s');
    const stream = m.cold(' ---------e');
    const dials = { A };
    const opened = (given: State): void => {
      state = given;
    };
    const world = { conns, names, dials, streams: { A: stream }, opened };
    m.hot('               --l--l--l--l').subscribe(look);
    m.expect(balancing(m, world)).toBe('a0', { ...COMMANDS, ...JOINED });
    m.flush();
    assert.deepEqual(seen, ['A available 1', 'A retired 1', 'A available 1', '']);
  }));

told('goes where the load is less', (m, tells) => {
  const conns = '   x--y--z---';
  const names = '   s---------';
  const A = m.cold(' -s');
  const B = m.cold('    -s');
  const brief = m.cold('    -e');
  const expected = ' a0-b6-b7-';
  tells({ conns, names, dials: { A, B }, streams: { B: brief } }, expected);
  m.subs(A).toBe('   ^!');
  m.subs(B).toBe(['  ---^!', '------^!']);
  m.subs(brief).toBe(['----^', '-------^']);
});

told('beyond maxWaiters connections are refused at once', (_, tells) => {
  const conns = '   x-y-z----';
  const names = '   --------';
  const expected = ' ----Z---';
  tells({ conns, names, policy: { maxWaiters: 2 } }, expected, 'max-waiters');
});

told('a client that goes away leaves the line, and the others move up', (m, tells) => {
  const conns = '   x-y------';
  const gone = '    ----x----';
  const names = '   ------r--';
  const A = m.cold('       -s');
  const expected = ' ----X-a1-';
  tells({ conns, gone, names, dials: { A } }, expected, 'departed');
  m.subs(A).toBe('   ------^!');
});

told('a dial whose client goes away is dropped', (m, tells) => {
  const conns = '   x-------';
  const gone = '    --x-----';
  const names = '   r-------';
  const A = m.cold(' ----s');
  const expected = ' a-(AX)';
  tells({ conns, gone, names, dials: { A } }, expected, 'departed');
  m.subs(A).toBe('   ^-!');
});

told('once it is let go it serves those inside, and ends with the last stream', (m, tells) => {
  const conns = '    x--y|';
  const names = '    r----';
  const quick = m.cold(' -s');
  const slow = m.cold('     ------s');
  const brief = m.cold('  --e');
  const long = m.cold('           -----e');
  const expected = '  a0-a-----1----|';
  const dials = { A: [quick, slow] };
  tells({ conns, names, dials, streams: { A: [brief, long] } }, expected);
  m.subs(slow).toBe('    ---^-----!');
  m.subs(long).toBe('    ---------^----!');
});

told('a client that had gone before it arrived is never joined', (m, tells) => {
  const conns = '   x-----';
  const names = '   r-----';
  const A = m.cold(' -s');
  const expected = ' (aAX)';
  tells({ conns, ghosts: 'x', names, dials: { A } }, expected, 'departed');
  m.subs(A).toBe('   (^!)');
});

told(
  'streams are sampled once a second while there are any, and only where throughput is balanced',
  (m) => {
    const policy = { loadBalancer: { kind: 'p2c', load: 'throughput' } } as const;
    const world = {
      conns: '-x',
      names: 'r',
      dials: { A: m.cold('s') },
      streams: { A: m.cold('2500ms e') },
    };
    const sampled = (given: World): Observable<string> =>
      balancing(m, given).pipe(
        filter((what) => what === 'sample'),
        map(() => 'S'),
      );
    m.expect(sampled({ ...world, policy }), '^ 5s !').toBe('1001ms S 999ms S 999ms S');
    m.expect(sampled(world), '^ 5s !').toBe('');
  },
);
