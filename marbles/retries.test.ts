/**
 * How a balancer deals with endpoints that fail: retries, the budget, penalties, probes and panic.
 *
 *   conns   x y z u v w  connections
 *   names   r bound to A · s to A and B · t to A, B and C
 *   dials   s connected · f refused · l trouble of our own
 *   stream  b first byte · k ended by the endpoint before its first byte
 *   told    a b c        a dial to A, to B, to C     D  the dial to B is dropped
 *           0 1 2 3 4 5  x, y, z, u, v, w is joined with A
 *           x y z u v w  it is joined with B
 *           X Y Z U V W  it is refused, for the reason beside the diagram, or as none could be reached
 *           A B          A, B is put aside           P Q  it is back
 *
 * An endpoint is put aside at its second failure in a row, for 10 s at first. Delays and penalties are jittered:
 * the times are those of the one seed that all tests share.
 */
import { test } from 'node:test';
import type { CloseReason } from '../src/close-reason.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { balancing, type World } from '../test/support/balancing.ts';

const CONNS = ['x', 'y', 'z', 'u', 'v', 'w'];

const commands = (reason: CloseReason) => ({
  a: 'connect A',
  b: 'connect B',
  c: 'connect C',
  D: 'abort B',
  A: 'failed A',
  B: 'failed B',
  P: 'restored A',
  Q: 'restored B',
  ...Object.fromEntries(CONNS.map((conn, i) => [i, `${conn} to A`])),
  ...Object.fromEntries(CONNS.map((conn) => [conn, `${conn} to B`])),
  ...Object.fromEntries(CONNS.map((conn) => [conn.toUpperCase(), `${conn} ${reason}`])),
});

const STRICT = { failFast: { maxConsecutiveFailures: 2, failurePenaltySecs: 10 } };

type Tells = (world: World, diagram: string, reason?: CloseReason) => void;

const told = (title: string, body: (m: Marbles, tells: Tells) => void): void => {
  test(title, () =>
    marbles((m) =>
      body(m, (world, diagram, reason = 'connect-failed') => {
        const policy = { ...STRICT, ...world.policy };
        m.expect(balancing(m, { ...world, policy })).toBe(diagram, commands(reason));
      }),
    ),
  );
};

told('a refused dial is tried again at another endpoint', (m, tells) => {
  const conns = '   x-----';
  const names = '   s-----';
  const A = m.cold(' -f');
  const B = m.cold('  -s');
  const expected = ' abx---';
  tells({ conns, names, dials: { A, B } }, expected);
  m.subs(A).toBe('   ^!');
  m.subs(B).toBe('   -^!');
});

told('each endpoint is tried once, then the connection is refused', (m, tells) => {
  const conns = '   x-----';
  const names = '   t-----';
  const A = m.cold(' -f');
  const B = m.cold('  -f');
  const C = m.cold('   -f');
  const expected = ' abcX--';
  tells({ conns, names, dials: { A, B, C } }, expected);
  m.subs(C).toBe('   --^!');
});

told('the first retry is free, the next ones need budget', (m, tells) => {
  const conns = '   x-----';
  const names = '   t-----';
  const A = m.cold(' -f');
  const B = m.cold('  -f');
  const expected = ' abX---';
  const policy = { requeueBudget: { minRetriesPerSec: 0, percentCanRetry: 0.2, ttlSecs: 10 } };
  tells({ conns, names, dials: { A, B }, policy }, expected, 'retry-budget');
  m.subs(B).toBe('   -^!');
});

told('a retry ends with the deadline of its connection', (m, tells) => {
  const conns = '   x-----';
  const names = '   s-----';
  const A = m.cold(' -f');
  const B = m.cold('  ------s');
  const expected = ' ab---(DX)';
  tells({ conns, waitMs: 5, names, dials: { A, B } }, expected, 'connect-timeout');
  m.subs(B).toBe('   -^---!');
});

told('after two failures in a row an endpoint is put aside, and the other serves', (m, tells) => {
  const conns = '   x-----y------z----';
  const names = '   s------------------';
  const A = m.cold(' -f');
  const B = m.cold('  ----s');
  const expected = ' ab---xa(Ab)y-b---z';
  tells({ conns, names, dials: { A, B } }, expected);
  m.subs(A).toBe(['  ^!', '------^!']);
});

told('after the penalty one connection probes, the others go elsewhere', (m, tells) => {
  const conns = '    x-----y----- 20s zu----';
  const names = '    s';
  const no = m.cold(' -f');
  const yes = m.cold('                 ---s');
  const B = m.cold('   ----s');
  const expected = '  ab---xa(Ab)y 20s ab-2-u 997ms P';
  tells({ conns, names, dials: { A: [no, no, yes], B } }, expected);
  m.subs(yes).toBe('  ------------ 20s ^--!');
});

told('the first byte of the probe brings the endpoint back', (m, tells) => {
  const conns = '   x-y----- 12s z--u-';
  const names = '   r';
  const no = m.cold('-f');
  const yes = m.cold('            -s');
  const stream = m.cold('          -b');
  const expected = ' aXa(AY)- 12s a2Pa3';
  tells({ conns, names, dials: { A: [no, no, yes] }, streams: { A: stream } }, expected);
  m.subs(no).toBe(['^!', '--^!']);
});

told('a quiet probe brings it back after a second', (m, tells) => {
  const conns = '   x-y----- 12s z-----';
  const names = '   r';
  const no = m.cold('-f');
  const yes = m.cold('            -s');
  const expected = ' aXa(AY)- 12s a2 999ms P';
  tells({ conns, names, dials: { A: [no, no, yes] } }, expected);
  m.subs(no).toBe(['^!', '--^!']);
});

told('a probe that fails doubles the penalty', (m, tells) => {
  const conns = '   x-----y----- 12s z------ 12s u------ 12s v-----';
  const names = '   s';
  const A = m.cold(' -f');
  const B = m.cold('  ----s');
  const expected = ' ab---xa(Ab)y 12s a(Ab)z- 12s b---u-- 12s a(Ab)v';
  tells({ conns, names, dials: { A, B } }, expected);
  m.subs(A).toBe([' ^!', '------^!', '------------ 12s ^!', '36026ms ^!']);
});

told('streams that their endpoint ends before its first byte are failures', (m, tells) => {
  const conns = '   x---y----';
  const names = '   r--------';
  const A = m.cold(' -s');
  const stream = m.cold('-k');
  const expected = ' a0--a1A--';
  tells({ conns, names, dials: { A }, streams: { A: stream } }, expected);
  m.subs(A).toBe(['  ^!', '----^!']);
});

told('a first byte between two failures clears the count', (m, tells) => {
  const conns = '   x--y---z---';
  const names = '   r----------';
  const no = m.cold('-f');
  const yes = m.cold('  -s');
  const stream = m.cold('-b');
  const expected = ' aX-a1--aZ--';
  tells({ conns, names, dials: { A: [no, yes, no] }, streams: { A: stream } }, expected);
  m.subs(no).toBe(['^!', '-------^!']);
});

told('a stream from before the penalty does not end it by its first byte', (m, tells) => {
  const conns = '   x--y--z-----u-';
  const names = '   r-------------';
  const yes = m.cold('-s');
  const no = m.cold('   -f');
  const stream = m.cold('--------b');
  const expected = ' a0-aY-a(AZ)-aU';
  tells({ conns, names, dials: { A: [yes, no] }, streams: { A: stream } }, expected);
  m.subs(stream).toBe('-^');
});

told('while all are aside they are tried one at a time, ever more slowly', (m, tells) => {
  const conns = '   x-y----zuv--';
  const names = '   r';
  const A = m.cold(' -f');
  const expected = ' aXa(AY)aZ 20ms aU 24ms aV';
  tells({ conns, names, dials: { A } }, expected);
  m.subs(A).toBe(['  ^!', '--^!', '-------^!', '29ms ^!', '55ms ^!']);
});

told('one success while all are aside lets the others be probed at once', (m, tells) => {
  const conns = '   x--------y------------z---u--';
  const names = '   s';
  const no = m.cold('----f');
  const yes = m.cold('                      -s');
  const stream = m.cold('                    -b');
  const expected = ' a---b---Xb---(Ba)(AY)-a2P-buQ';
  const dials = { A: [no, no, yes], B: [no, no, yes] };
  tells({ conns, names, dials, streams: { A: stream, B: stream } }, expected);
  m.subs(yes).toBe(['----------------------^!', '--------------------------^!']);
});

told('trouble of our own counts against no endpoint', (m, tells) => {
  const conns = '   x-y-z-u-';
  const names = '   r-------';
  const own = m.cold('-l');
  const yes = m.cold('-s');
  const expected = ' aXaYaZa3';
  tells({ conns, names, dials: { A: [own, own, own, yes] } }, expected);
  m.subs(own).toBe(['^!', '--^!', '----^!']);
});

told('put aside, back, and put aside again, as often as it takes', (m, tells) => {
  const conns = '   x-y----- 12s z------ 2s u-v----- 12s w---';
  const names = '   r';
  const no = m.cold('-f');
  const yes = m.cold('-s');
  const expected = ' aXa(AY)- 12s a2 999ms P 1005ms aUa(AV)- 12s a5 999ms P';
  tells({ conns, names, dials: { A: [no, no, yes, no, no, yes] } }, expected);
  m.subs(yes).toBe(['12008ms ^!', '26023ms ^!']);
});

told('a dial that fails within the call itself is counted once', (m, tells) => {
  const conns = '   x-----y------z-----';
  const names = '   s-------------------';
  const A = m.cold(' (f|)');
  const B = m.cold(' -----s');
  const expected = ' (ab)-x(aAb)y-b----z';
  tells({ conns, names, dials: { A, B } }, expected);
  m.subs(A).toBe(['  (^!)', '------(^!)']);
});
