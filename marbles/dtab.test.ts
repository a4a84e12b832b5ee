/**
 * Names by a dtab and namers, in virtual time. A namer’s marble says what it knows of a name:
 *   l  it exists      n  it does not      p  not known yet      f  it cannot be had
 * and an address marble what is behind it: 1 2 3 endpoints on these ports, e nobody, n gone, f cannot be had.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRight } from 'fp-ts/lib/Either.js';
import { defer, filter, finalize, map, type Observable, of, tap } from 'rxjs';
import { makeAddress, type WeightedAddress } from '../src/address.ts';
import type { Dtab } from '../src/dtab/dtab.ts';
import { leaf, NEG } from '../src/dtab/name-tree.ts';
import { parseDtab } from '../src/dtab/parse.ts';
import { makeDtabInterpreter } from '../src/interpreter/dtab-interpreter.ts';
import { makeDtabNaming } from '../src/interpreter/dtab-naming.ts';
import { FAULT_MS } from '../src/interpreter/guarded.ts';
import type { Part, Resolution } from '../src/interpreter/interpreter.ts';
import type { Addr, Binding } from '../src/interpreter/namers/namer.ts';
import { reckon } from '../src/interpreter/reckon.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const dtab = (text: string): Dtab => {
  const parsed = parseDtab(text);
  return isRight(parsed) ? parsed.right : assert.fail(parsed.left.message);
};

const portsOf = (endpoints: readonly WeightedAddress[]): string =>
  endpoints.map(({ address }) => address.port).join('+') || 'nobody';

const showPart = (part: Part): string =>
  part.t === 'set'
    ? portsOf(part.endpoints)
    : `(${part.branches.map(({ weight, part: one }) => `${weight}*${showPart(one)}`).join(' & ')})`;

const show = (said: Resolution): string => {
  if (said.t === 'bound') return said.union ? showPart(said.union) : portsOf(said.endpoints);
  return said.t === 'failed' ? `failed ${said.cause}` : said.t;
};

interface World {
  /** Marbles of namers, by name; what is not listed does not exist. */
  readonly names?: Readonly<Record<string, string>>;
  /** Marbles of addresses, by id; absent: port 1 at once. */
  readonly addrs?: Readonly<Record<string, string>>;
  /** Dtabs by letter, and when they change. */
  readonly dtabs: Readonly<Record<string, string>>;
  readonly change?: string;
}

const addrOf = (letter: string): Addr => {
  if (letter === 'e') return { t: 'bound', endpoints: [] };
  if (letter === 'n') return { t: 'neg' };
  if (letter === 'p') return { t: 'pending' };
  if (letter === 'f') return { t: 'failed', cause: 'no answer' };
  return {
    t: 'bound',
    endpoints: [{ address: makeAddress('10.0.0.1', Number(letter)), weight: 1 }],
  };
};

/** What a world tells of `/svc`, and how often each source was begun. */
const resolve = (m: Marbles, { names = {}, addrs = {}, dtabs, change }: World) => {
  const begun = new Map<string, number>();
  const open = new Set<string>();
  const counted = <T>(key: string, made: () => Observable<T>): Observable<T> =>
    defer(() => {
      begun.set(key, (begun.get(key) ?? 0) + 1);
      assert.ok(!open.has(key), `${key} is observed twice at one time`);
      open.add(key);
      return made().pipe(finalize(() => open.delete(key)));
    });
  const bindingOf = (id: Path, letter: string): Binding => {
    if (letter === 'p') return { t: 'pending' };
    if (letter === 'f') return { t: 'failed', cause: 'no namer' };
    if (letter === 'n') return { t: 'ok', tree: NEG };
    const addr$ = counted(`addr ${id}`, () =>
      addrs[id] === undefined ? of(addrOf('1')) : m.cold(addrs[id]).pipe(map(addrOf)),
    );
    return { t: 'ok', tree: leaf({ id, residual: '/' as Path, addr$ }) };
  };
  const namer = (path: Path): Observable<Binding> =>
    counted(path, () =>
      names[path] === undefined
        ? of(bindingOf(path, 'n'))
        : m.cold(names[path]).pipe(map((letter) => bindingOf(path, letter))),
    );
  const naming = makeDtabNaming(namer, m.env);
  const dtab$ = (change === undefined ? of('a') : m.cold(change)).pipe(
    map((letter) => dtab(dtabs[letter] ?? '')),
  );
  const told$ = makeDtabInterpreter(naming, dtab$, m.env)
    .resolve('/svc' as Path)
    .pipe(map(show));
  return { told$, begun, open };
};

const BOOK: Readonly<
  Record<string, World & { readonly told: string; readonly said: Readonly<Record<string, string>> }>
> = {
  'a name is pending until its namer has spoken, and follows its addresses': {
    dtabs: { a: '/svc=>/#/x' },
    names: { '/#/x': '--l' },
    addrs: { '/#/x': '-1 200ms 2' },
    told: 'p--1 200ms 2',
    said: { p: 'pending', 1: '1', 2: '2' },
  },
  'what does not exist is told at once': {
    dtabs: { a: '/svc=>/#/x' },
    told: 'n',
    said: { n: 'neg' },
  },
  'an alternative stands in while the one before it does not exist': {
    dtabs: { a: '/svc=>/#/x|/#/y' },
    names: { '/#/x': 'l 99ms n 99ms l', '/#/y': 'l' },
    addrs: { '/#/x': '1', '/#/y': '2' },
    told: '1 99ms 2 99ms 1',
    said: { 1: '1', 2: '2' },
  },
  'not while it fails: the last good set stays, and is stale': {
    dtabs: { a: '/svc=>/#/x|/#/y' },
    names: { '/#/x': 'l 99ms f 99ms l', '/#/y': 'l' },
    addrs: { '/#/x': '1', '/#/y': '2' },
    told: '1 99ms f 99ms 1',
    said: { 1: '1', f: 'failed no namer' },
  },
  'a union has what each of its parts has': {
    dtabs: { a: '/svc=>9*/#/x & 1*/#/y' },
    names: { '/#/x': 'l', '/#/y': 'l' },
    addrs: { '/#/x': '1', '/#/y': '2 200ms 3' },
    told: 'a 200ms b',
    said: { a: '(9*1 & 1*2)', b: '(9*1 & 1*3)' },
  },
  'a part that goes leaves all to the others, and one that fails stays as it was': {
    dtabs: { a: '/svc=>9*/#/x & 1*/#/y' },
    names: { '/#/x': 'l', '/#/y': 'l' },
    addrs: { '/#/x': '1', '/#/y': '2 200ms n 200ms 2 200ms f 200ms 2' },
    told: 'a 200ms b 200ms a 200ms f 200ms a',
    said: { a: '(9*1 & 1*2)', b: '1', f: 'failed no answer' },
  },
  'parts that nobody knows yet do not hold up the others': {
    dtabs: { a: '/svc=>/#/x & /#/y' },
    names: { '/#/x': 'l', '/#/y': '99ms l' },
    addrs: { '/#/x': '1', '/#/y': '2' },
    told: 'a 98ms b',
    said: { a: '1', b: '(1*1 & 1*2)' },
  },
  'what changes at one moment is told once, as it is after it': {
    dtabs: { a: '/svc=>/#/x & /#/y' },
    names: { '/#/x': 'l', '/#/y': 'l' },
    addrs: { '/#/x': '1 200ms 3', '/#/y': '2 200ms 4' },
    told: 'a 200ms b',
    said: { a: '(1*1 & 1*2)', b: '(1*3 & 1*4)' },
  },
  'a changed dtab leads elsewhere, and what is the same in both is not looked up anew': {
    dtabs: { a: '/svc=>/#/x|/#/y', b: '/svc=>/#/y|/#/x', c: '/svc=>/#/x|/#/z' },
    names: { '/#/x': 'l', '/#/y': 'l' },
    addrs: { '/#/x': '1', '/#/y': '2' },
    change: 'a 99ms b 99ms c',
    told: '1 99ms 2 99ms 1',
    said: { 1: '1', 2: '2' },
  },
  'a flood is thinned out: the first at once, then the last of each tenth of a second': {
    dtabs: { a: '/svc=>/#/x' },
    names: { '/#/x': 'l' },
    addrs: { '/#/x': `1${'23'.repeat(50)}5` },
    told: '1 99ms b 99ms c',
    said: { 1: '1', b: '3', c: '5' },
  },
  'what fails before anything is known is told': {
    dtabs: { a: '/svc=>/#/x' },
    names: { '/#/x': '-f 99ms l' },
    addrs: { '/#/x': '1' },
    told: 'pf 99ms (p1)',
    said: { p: 'pending', f: 'failed no namer', 1: '1' },
  },
  'a namer that breaks takes down only its own name, and is asked again': {
    dtabs: { a: '/svc=>/#/x' },
    names: { '/#/x': '-#' },
    told: `pf ${FAULT_MS * 3}ms -`,
    said: { p: 'pending', f: 'failed internal: error' },
  },
};

for (const [what, { told, said, ...world }] of Object.entries(BOOK))
  test(what, () =>
    marbles((m) => {
      const { told$ } = resolve(m, world);
      // A marble speaks within its first frame, not at its begin.
      const settled$ = told$.pipe(filter((news) => news !== 'pending' || 'p' in said));
      m.expect(settled$, '20s !').toBe(told, said);
    }),
  );

test('two that lead to one name observe it once, and when nobody asks all is let go', () =>
  marbles((m) => {
    const world = {
      dtabs: { a: '/svc=>/#/x & /b;/b=>/#/x' },
      names: { '/#/x': 'l' },
      addrs: { '/#/x': '1' },
    };
    const { told$, begun, open } = resolve(m, world);
    m.expect(told$, '-!').toBe('(pa)', { p: 'pending', a: '(1*1 & 1*1)' });
    m.flush();
    assert.deepEqual([...begun.values()], [1, 1]);
    assert.equal(open.size, 0);
  }));

test('who takes over within a second need not wait for what was known', () =>
  marbles((m) => {
    const world: World = {
      dtabs: { a: '/svc=>/#/x' },
      names: { '/#/x': '5ms l' },
      addrs: { '/#/x': '5ms 1' },
    };
    const { told$, begun } = resolve(m, world);
    const said = { p: 'pending', 1: '1' };
    m.expect(told$, '^ 99ms !').toBe('p 9ms 1', said);
    m.expect(told$, '1s ^ 99ms !').toBe('1s 1', said);
    m.expect(told$, '3s ^ 99ms !').toBe('3s p 9ms 1', said);
    m.flush();
    assert.deepEqual([...begun.values()], [2, 2]);
  }));

test('what fails is logged once, and when it works again', () =>
  marbles((m) => {
    const world: World = {
      dtabs: { a: '/svc=>/#/x' },
      names: { '/#/x': 'l' },
      addrs: { '/#/x': '1 199ms f 199ms f 199ms 1 60s f' },
    };
    m.expect(resolve(m, world).told$.pipe(filter(() => false)), '61s !').toBe('-');
    m.flush();
    const failed =
      'warn the look-up of a name failed, what is known is kept dst=/#/x cause=no answer';
    const works = 'info the look-up of a name works again dst=/#/x';
    assert.deepEqual(m.logged, [failed, works, failed]);
  }));

test('rules that lead nowhere are logged once for their name, and when they lead somewhere', () =>
  marbles((m) => {
    const world: World = {
      dtabs: { a: '/svc=>/svc', b: '/svc=>/#/x' },
      change: 'a 99ms b 99ms a 59900ms b',
      names: { '/#/x': 'l' },
    };
    m.expect(resolve(m, world).told$.pipe(filter(() => false)), '61s !').toBe('-');
    m.flush();
    const cause = 'Max recursion level: 100 reached in Namer lookup';
    assert.deepEqual(m.logged, [
      `warn the look-up of a name failed, what is known is kept dst=/svc cause=${cause}`,
      'info the look-up of a name works again dst=/svc',
    ]);
  }));

test('what holds is confirmed every half minute, not while it is in doubt', () =>
  marbles((m) => {
    const world: World = {
      dtabs: { a: '/svc=>/#/x' },
      names: { '/#/x': 'l' },
      addrs: { '/#/x': '1 39999ms f 39999ms 1' },
    };
    const settled$ = resolve(m, world).told$.pipe(filter((news) => news !== 'pending'));
    const told = '1 29999ms c 9999ms f 39999ms 1 29999ms c';
    m.expect(settled$, '111s !').toBe(told, { 1: '1', c: 'confirmed', f: 'failed no answer' });
  }));

test('one name of many is computed anew when its namer speaks', () =>
  marbles((m) => {
    let computed = 0;
    const namer = (path: Path): Observable<Binding> => {
      const addr$ = path === '/#/7' ? m.cold('1 200ms 2').pipe(map(addrOf)) : of(addrOf('1'));
      return defer(() =>
        of<Binding>({ t: 'ok', tree: leaf({ id: path, residual: '/' as Path, addr$ }) }),
      );
    };
    const naming = makeDtabNaming(namer, m.env);
    const interpreter = makeDtabInterpreter(naming, of(dtab('/svc=>/#')), m.env);
    for (let i = 0; i < 100; i++) {
      const told$ = interpreter.resolve(`/svc/${i}` as Path).pipe(tap(() => (computed += 1)));
      const told = i === 7 ? '(p1) 197ms 2' : '1';
      m.expect(told$.pipe(map(show)), '1s !').toBe(told, { p: 'pending', 1: '1', 2: '2' });
    }
    m.flush();
    assert.equal(computed, 102);
  }));

test('what is known at once costs one computation, however many names are asked for', () =>
  marbles((m) => {
    let computed = 0;
    const asked = Array.from({ length: 100 }, (_, i) => i);
    const told$ = reckon<string, number, boolean, number | undefined>(
      {
        input$: of('all'),
        source: (one) => of(one === 99),
        keyOf: String,
        compute: (_, known) => {
          computed += 1;
          return asked.find((one) => known(one) !== false);
        },
      },
      m.env.scheduler,
    );
    m.expect(told$.pipe(map(String)), '1s !').toBe('9', { 9: '99' });
    m.flush();
    assert.equal(computed, 1);
  }));

/** What `/svc/bad` and `/svc/good` tell while the namer does to the former what it likes. */
const beside = (m: Marbles, bad: (path: Path) => Observable<Binding>) => {
  const addr$ = of(addrOf('1'));
  const namer = (path: Path): Observable<Binding> =>
    path.endsWith('bad')
      ? bad(path)
      : of<Binding>({ t: 'ok', tree: leaf({ id: path, residual: '/' as Path, addr$ }) });
  const naming = makeDtabNaming(namer, m.env);
  const interpreter = makeDtabInterpreter(naming, of(dtab('/svc=>/#')), m.env);
  return (name: string): Observable<string> =>
    interpreter.resolve(`/svc/${name}` as Path).pipe(map(show));
};

const NONSENSE: readonly unknown[] = [
  undefined,
  7,
  {},
  { t: 'ok' },
  { t: 'failed' },
  { t: 'ok', tree: { t: 'leaf', value: { id: 'x' } } },
  { t: 'ok', tree: { t: 'union', branches: [{ weight: Number.NaN, tree: NEG }] } },
  {
    t: 'ok',
    tree: leaf({ id: '/#/bad', residual: '/', addr$: of({ t: 'bound', endpoints: [{}] }) }),
  },
];

for (const [i, nonsense] of NONSENSE.entries())
  test(`a namer that says nonsense fails its own name alone: ${i}`, () =>
    marbles((m) => {
      const follow = beside(m, () => of(nonsense as Binding));
      const f = 'failed internal: expected what a namer may say, got something else';
      m.expect(follow('bad'), '1s !').toBe('f', { f });
      m.expect(follow('good'), '1s !').toBe('1', { 1: '1' });
    }));

test('a namer that throws instead of an answer, or never answers, holds up its own name alone', () =>
  marbles((m) => {
    const throwing = beside(m, () => {
      throw new Error('oops');
    });
    m.expect(throwing('bad'), '1s !').toBe('f', { f: 'failed internal: oops' });
    m.expect(throwing('good'), '1s !').toBe('1', { 1: '1' });
    const silent = beside(m, () => m.cold('-'));
    m.expect(silent('bad'), '1s !').toBe('p', { p: 'pending' });
    m.expect(silent('good'), '1s !').toBe('1', { 1: '1' });
  }));

test('a namer that floods costs one computation for each window, and others nothing', () =>
  marbles((m) => {
    let reckoned = 0;
    const flood$ = defer(() => m.cold('ln'.repeat(500)));
    const follow = beside(m, (path) =>
      flood$.pipe(
        map((letter): Binding => {
          const tree =
            letter === 'n'
              ? NEG
              : leaf({ id: path, residual: '/' as Path, addr$: of(addrOf('1')) });
          return { t: 'ok', tree };
        }),
      ),
    );
    m.expect(
      follow('bad').pipe(
        tap(() => (reckoned += 1)),
        filter(() => false),
      ),
      '1100ms !',
    ).toBe('-');
    m.expect(follow('good'), '1100ms !').toBe('1', { 1: '1' });
    m.flush();
    assert.ok(reckoned <= 1000 / 20 + 2, `${reckoned}`);
  }));
