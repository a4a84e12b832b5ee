/**
 * How a balancer keeps spares: connections that are open before somebody wants one. One spare, unless said.
 *
 *   conns   x  a connection
 *   names   r bound to A · s to A and B · o to B · e to nothing · y to A at weight 0 and B
 *   dials   s connected · f refused
 *   stream  k ended by the endpoint before its first byte
 *   spare   x closed by the endpoint
 *   told    a b  a dial to A, to B     w u  a spare at A, at B is watched     C  one at A is closed
 *           0    x is joined with A    F    A is put aside
 *
 * The delays between spares are jittered; the times are those of the one seed that all tests share.
 */
import { test } from 'node:test';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { balancing, type World } from '../test/support/balancing.ts';

const COMMANDS = {
  a: 'connect A',
  b: 'connect B',
  w: 'watch A',
  u: 'watch B',
  C: 'close A',
  F: 'failed A',
  0: 'x to A',
};

type Tells = (world: World, diagram: string, spares?: number) => void;

const told = (title: string, body: (m: Marbles, tells: Tells) => void): void => {
  test(title, () =>
    marbles((m) =>
      body(m, (world, diagram, minConnections = 1) => {
        const policy = { minConnections, ...world.policy };
        m.expect(balancing(m, { ...world, policy })).toBe(diagram, COMMANDS);
      }),
    ),
  );
};

told('a spare is opened with the first addresses, and the next connection gets it', (m, tells) => {
  const conns = '   -----x---';
  const names = '   -r-------';
  const quick = m.cold('--s');
  const slow = m.cold('     ----s');
  const expected = ' -a-w-(0a)w';
  tells({ conns, names, dials: { A: [quick, slow] } }, expected);
  m.subs(quick).toBe('-^-!');
  m.subs(slow).toBe(' -----^---!');
});

told('a connection that finds no spare dials for itself', (m, tells) => {
  const conns = '   ---x-----';
  const names = '   r--------';
  const A = m.cold(' -----s');
  const expected = ' a--a-w--0';
  tells({ conns, names, dials: { A } }, expected);
  m.subs(A).toBe(['  ^----!', '---^----!']);
});

told(
  'a spare that its endpoint closes is no failure, and is replaced after a pause',
  (m, tells) => {
    const conns = '   ---------';
    const names = '   r--------';
    const A = m.cold(' -s');
    const brief = m.cold(' ---x');
    const still = m.cold(' -');
    const expected = ' aw 131ms aw';
    tells({ conns, names, dials: { A }, spares: { A: [brief, still] } }, expected);
    m.subs(brief).toBe(' -^--!');
  },
);

told('spares that are refused come ever more slowly', (m, tells) => {
  const conns = '   -----';
  const names = '   r 3s e';
  const A = m.cold(' -f');
  const expected = ' a 129ms a 218ms a 374ms a 713ms a 1007ms a';
  const failFast = { maxConsecutiveFailures: 9, failurePenaltySecs: 10 };
  tells({ conns, names, dials: { A }, policy: { failFast } }, expected);
});

told('spares that end together are replaced together', (m, tells) => {
  const conns = '   -------------------------';
  const names = '   r------------------------';
  const A = m.cold(' -----s');
  const brief = m.cold('     ----------x');
  const still = m.cold('                         -');
  const expected = ' (aaa)(www) 68ms (aaa)(www)';
  tells({ conns, names, dials: { A }, spares: { A: [brief, brief, brief, still] } }, expected, 3);
  m.subs(brief).toBe(['-----^---------!', '-----^---------!', '-----^---------!']);
});

told('a spare that nobody wanted for spareIdleMs is closed and replaced', (m, tells) => {
  const conns = '   -----------------------';
  const names = '   r 150ms               e';
  const quick = m.cold('-s');
  const slow = m.cold('           -----s');
  const expected = ' aw 99ms (Ca)-w 44ms C';
  tells({ conns, names, dials: { A: [quick, slow] }, policy: { spareIdleMs: 100 } }, expected);
  m.subs(slow).toBe(' 101ms ^----!');
});

told('spares count in the load of their endpoint, and so they spread', (m, tells) => {
  const conns = '   --------';
  const names = '   s-------';
  const A = m.cold(' ----s');
  const B = m.cold(' ----s');
  const expected = ' (ab)(wu)';
  tells({ conns, names, dials: { A, B } }, expected, 2);
  m.subs(A).toBe('   ^---!');
  m.subs(B).toBe('   ^---!');
});

told('spares at an endpoint that leaves are closed, and opened elsewhere', (m, tells) => {
  const conns = '   ----------';
  const names = '   r----o----';
  const A = m.cold(' -s');
  const B = m.cold('      ----s');
  const spare = m.cold('-----x');
  const expected = ' aw---(Cb)u';
  tells({ conns, names, dials: { A, B }, spares: { A: spare } }, expected);
  m.subs(spare).toBe('-^---!');
});

told('so are those at an endpoint whose weight becomes 0', (m, tells) => {
  const conns = '   ----------';
  const names = '   r----y----';
  const A = m.cold(' -s');
  const B = m.cold('      ----s');
  const spare = m.cold('-----x');
  const expected = ' aw---(Cb)u';
  tells({ conns, names, dials: { A, B }, spares: { A: spare } }, expected);
  m.subs(spare).toBe('-^---!');
});

told('those at an endpoint that is put aside are closed', (m, tells) => {
  const conns = '   x-----------';
  const names = '   r-----------';
  const A = m.cold(' ----s');
  const stream = m.cold('    ----k');
  const expected = ' (aa)(w0)(FC)';
  const failFast = { maxConsecutiveFailures: 1, failurePenaltySecs: 10 };
  tells({ conns, names, dials: { A }, streams: { A: stream }, policy: { failFast } }, expected);
  m.subs(stream).toBe('----^');
});

told('a reload that wants fewer closes the rest, also those on their way', (m, tells) => {
  const conns = '        ---------';
  const names = '        r--------';
  const none = { 0: { minConnections: 0 } };
  const policies = m.hot('------0--', none);
  const quick = m.cold('  ----s');
  const slow = m.cold('   --------s');
  const expected = '      (aa)w-C-C';
  tells({ conns, names, policies, dials: { A: [quick, slow] } }, expected, 2);
  m.subs(slow).toBe('     ^-------!');
});

told('a name that is let go closes its spares, and ends', (m, tells) => {
  const conns = '   -----|';
  const names = '   r-----';
  const A = m.cold(' -s');
  const spare = m.cold('----------x');
  const expected = ' aw---(C|)';
  tells({ conns, names, dials: { A }, spares: { A: spare } }, expected);
  m.subs(spare).toBe('-^---!');
});
