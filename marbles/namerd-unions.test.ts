/**
 * Names of namerd with their unions: `/bind`, and `/addr` for each leaf.
 *
 * On the wire:  h head of a 200 · r head of a 404 · x the connection broke · n neg
 *   of bind:    u 9 * /#/x & 1 * /#/y · l /#/x · m /#/y · q no tree at all
 *   of addr:    1 2 3 an endpoint on this port · e nobody
 *   of resolve: 7 an endpoint on this port
 */
import { map, NEVER, type Observable } from 'rxjs';
import type { Part, Resolution } from '../src/interpreter/interpreter.ts';
import { makeInterpreter } from '../src/interpreter/make.ts';
import type { Received, Transport } from '../src/interpreter/transport.ts';
import type { Path } from '../src/path.ts';
import type { Marbles } from '../src/testing/marbles.ts';
import { CONFIG, told } from '../test/support/namerd-marbles.ts';

const line = (json: unknown): Received => ({
  t: 'chunk',
  bytes: new TextEncoder().encode(`${JSON.stringify(json)}\n`),
});

const tree = (id: string) => ({ type: 'leaf', bound: { id, path: '/', addr: { type: 'neg' } } });

const addrs = (...ports: readonly number[]): Received =>
  line({ type: 'bound', addrs: ports.map((port) => ({ ip: '10.0.0.1', port })) });

const WIRE: Readonly<Record<string, Received>> = {
  h: { t: 'head', status: 200 },
  r: { t: 'head', status: 404 },
  x: { t: 'broken', cause: 'connection reset' },
  n: line({ type: 'neg' }),
  q: line({ type: 'tree' }),
  u: line({
    type: 'union',
    union: [
      { weight: 9, tree: tree('/#/x') },
      { weight: 1, tree: tree('/#/y') },
    ],
  }),
  l: line(tree('/#/x')),
  m: line(tree('/#/y')),
  1: addrs(1),
  2: addrs(2),
  3: addrs(3),
  7: addrs(7),
  e: addrs(),
};

const showPart = (part: Part): string =>
  part.t === 'set'
    ? part.endpoints.map(({ address }) => address.port).join('+') || 'nobody'
    : part.branches.map(({ weight, part: one }) => `${weight}*${showPart(one)}`).join(' & ');

const show = (said: Resolution): string => {
  if (said.t === 'failed') return said.cause;
  if (said.t !== 'bound') return said.t;
  return showPart(said.union ?? { t: 'set', id: '', endpoints: said.endpoints });
};

const wire = (m: Marbles, diagram: string) => m.cold(diagram, WIRE);

type Stub = ReturnType<typeof wire>;

/** What requests get by `watch bind /svc`, one after the other; silence when there is no more. */
const follow = (m: Marbles, stubs: Readonly<Record<string, readonly Stub[]>>) => {
  const counts = new Map<string, number>();
  const http: Transport = (url, kind) => {
    const { pathname, searchParams } = new URL(url);
    const key = `${kind} ${pathname.split('/')[3]} ${searchParams.get('path')}`;
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    return stubs[key]?.[nth] ?? NEVER;
  };
  const context = { rt: 'test', report: () => undefined, http };
  const interpreter = makeInterpreter({ ...CONFIG, weightedUnions: true }, context, m.env);
  return (name = '/svc'): Observable<string> => interpreter.resolve(name as Path).pipe(map(show));
};

told('a union has the endpoints of each of its parts, as they come', (m) => {
  const bind = wire(m, '  hu');
  const x = wire(m, '      -h1 -- 200ms 2');
  const y = wire(m, '      -h- 3-');
  const stubs = { 'watch bind /svc': [bind], 'watch addr /#/x': [x], 'watch addr /#/y': [y] };
  const expected = '       -p-a b 201ms c';
  const said = { p: 'pending', a: '1', b: '9*1 & 1*3', c: '9*2 & 1*3' };
  m.expect(follow(m, stubs)(), '^ 1s !').toBe(expected, said);
});

told('a tree that changes keeps the watches of the leaves that stay', (m) => {
  const bind = wire(m, 'hu 99ms l 99ms u 99ms m');
  const x = wire(m, '    h1');
  const y = wire(m, '    h3');
  const stubs = { 'watch bind /svc': [bind], 'watch addr /#/x': [x], 'watch addr /#/y': [y] };
  const said = { p: 'pending', u: '9*1 & 1*3', l: '1', m: '3' };
  m.expect(follow(m, stubs)(), '^ 1s !').toBe('-pu 98ms l 99ms u 99ms m', said);
  m.subs(x).toBe('-^ 1299ms !');
});

told('a leaf of two names is watched once', (m) => {
  const stubs = {
    'watch bind /svc': [wire(m, 'hl')],
    'watch bind /too': [wire(m, '99ms hl')],
    'watch addr /#/x': [wire(m, 'h1')],
  };
  const name = follow(m, stubs);
  m.expect(name('/svc'), '^ 500ms !').toBe('-p1', { p: 'pending', 1: '1' });
  m.expect(name('/too'), '^ 500ms !').toBe('100ms 1', { 1: '1' });
});

told('while bind says nothing for 2 s, resolve stands in', (m) => {
  const resolve = wire(m, 'h7');
  const stubs = {
    'watch bind /svc': [wire(m, 'h 4999ms u')],
    'watch resolve /svc': [resolve],
    'watch addr /#/x': [wire(m, '5ms h1')],
    'watch addr /#/y': [wire(m, '9ms h3')],
  };
  const said = { 7: '7', a: '1', b: '9*1 & 1*3' };
  m.expect(follow(m, stubs)(), '^ 6s !').toBe('2001ms 7 3004ms a 3ms b', said);
  m.subs(resolve).toBe('2s ^ 3005ms !');
});

told('and so it does where bind is not known', (m) => {
  const stubs = {
    'watch bind /svc': [wire(m, 'r|')],
    'watch resolve /svc': [wire(m, 'h7 999ms n')],
  };
  const said = { f: 'namerd: status 404', 7: '7', n: 'neg' };
  m.expect(follow(m, stubs)(), '^ 4s !').toBe('-f 1999ms 7 999ms n', said);
});

told('V25: a name that went comes back with the addresses that its leaf has then', (m) => {
  const bind = wire(m, '    hl 99ms n 99ms l');
  const first = wire(m, '   -he 49ms 1');
  const stubs = { 'watch bind /svc': [bind], 'watch addr /#/x': [first] };
  const said = { p: 'pending', e: 'nobody', 1: '1', n: 'neg' };
  m.expect(follow(m, stubs)(), '^ 1s !').toBe('-p-e 49ms 1 47ms n 99ms 1', said);
});

told('V26: what fails is kept, and told as failed, and told again when it holds', (m) => {
  const bind = [wire(m, 'hl 99ms x'), wire(m, 'hl')];
  const x = [wire(m, 'h1 999ms x'), wire(m, 'h1')];
  const stubs = { 'watch bind /svc': bind, 'watch addr /#/x': x };
  const said = { p: 'pending', 1: '1', f: 'connection reset' };
  const expected = '-p1 98ms f 500ms 1 399ms f 500ms 1';
  m.expect(follow(m, stubs)(), '^ 2s !').toBe(expected, said);
});

told('a line that is no tree is a failure in words', (m) => {
  const stubs = { 'watch bind /svc': [wire(m, 'hq')] };
  const f = 'namerd: expected a tree of names, got {"type":"tree"}';
  m.expect(follow(m, stubs)(), '^ 1s !').toBe('-f', { f });
});

told('what both say again is confirmed once both have', (m) => {
  const bind = [wire(m, 'hl')];
  const x = [wire(m, 'h1')];
  const stubs = {
    'watch bind /svc': bind,
    'watch addr /#/x': x,
    'poll bind /svc': [wire(m, '5ms (hl|)')],
    'poll addr /#/x': [wire(m, '9ms (h1|)')],
  };
  const said = { p: 'pending', 1: '1', c: 'confirmed' };
  m.expect(follow(m, stubs)(), '^ 62s !').toBe('-p1 60008ms c', said);
});
