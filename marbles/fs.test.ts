/**
 * Files that are looked at again and again, in virtual time: a look every 250 ms. A script has a letter for what each
 * look finds, the last one stands from then on:
 *   - nothing   / a folder   1 2 3 a whole file on this port, each a file of its own   % it cannot be read
 *   a b c the same file, in place, on port 1, 2, 3    A B the same without an end of line    e the same, empty
 *   x the same with a line that is no address
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, defer, map, NEVER, type Observable, of, switchMap } from 'rxjs';
import type { Content, FilesPort, Place } from '../src/interpreter/namers/fs/files.ts';
import { makeFs } from '../src/interpreter/namers/fs/fs.ts';
import type { Addr, Binding } from '../src/interpreter/namers/namer.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const TEXTS: Readonly<Record<string, string>> = {
  1: '10.0.0.1 1\n',
  2: '10.0.0.1 2\n',
  3: '10.0.0.1 3\n',
  a: '10.0.0.1 1\n',
  b: '10.0.0.1 2\n',
  c: '10.0.0.1 3\n',
  A: '10.0.0.1 1',
  B: '10.0.0.1 2',
  e: '',
  x: 'no address\n',
};

const idOf = (letter: string): string => (/\d/.test(letter) ? letter : 'in place');

const placeOf = (letter: string): Place => {
  if (letter === '-') return { t: 'missing' };
  if (letter === '/') return { t: 'folder', version: '' };
  if (letter === '%') return { t: 'failed', cause: 'EACCES' };
  return { t: 'file', id: idOf(letter), version: letter };
};

const LOOK_MS = 250;

/** Files by path, each a script by time; how often each was looked at and read. Their folders change as they come and go. */
const fake = (m: Marbles, scripts: Readonly<Record<string, string>>) => {
  const looks = new Map<string, number>();
  let reads = 0;
  const letterOf = (path: string): string => {
    const script = scripts[path] ?? '-';
    const nth = Math.floor(m.env.scheduler.now() / LOOK_MS);
    return script[Math.min(nth, script.length - 1)] ?? '-';
  };
  const childrenOf = (path: string): readonly string[] =>
    Object.keys(scripts).filter((one) => one.startsWith(`${path}/`));
  const files: FilesPort = {
    look: (path) =>
      defer(() => {
        looks.set(path, (looks.get(path) ?? 0) + 1);
        const place = placeOf(letterOf(path));
        const children = childrenOf(path);
        if (children.length === 0) return of(place);
        const version = children.map((one) => letterOf(one) === '-').join();
        return of<Place>({ t: 'folder', version });
      }),
    read: (path) =>
      defer(() => {
        reads += 1;
        const letter = letterOf(path);
        const content: Content = { t: 'text', text: TEXTS[letter] ?? '', version: letter };
        return of(content);
      }),
  };
  return { files, looks, reads: () => reads };
};

const PREFIX = '/#/io.l5d.fs' as Path;

const start = (m: Marbles, scripts: Readonly<Record<string, string>>) => {
  const { files, ...counts } = fake(m, scripts);
  const config = { kind: 'io.l5d.fs', rootDir: '/d', prefix: '/io.l5d.fs' as Path } as const;
  const resolve = () => of({ t: 'neg' } as const);
  const namer = makeFs({ config, prefix: PREFIX, resolve, files }, m.env);
  return {
    follow: (name: string) => concat(namer(name as Path), NEVER).pipe(switchMap(tell)),
    ...counts,
  };
};

const showAddr = (addr: Addr): string => {
  if (addr.t === 'failed') return addr.cause;
  if (addr.t !== 'bound') return addr.t;
  return addr.endpoints.map(({ address }) => address.port).join('+') || 'nobody';
};

const tell = (binding: Binding): Observable<string> => {
  if (binding.t !== 'ok') return of(binding.t);
  const { tree } = binding;
  if (tree.t !== 'leaf' || typeof tree.value === 'string') return of(tree.t);
  const { id, residual, addr$ } = tree.value;
  const where = id === `${PREFIX}/web` && residual === '/' ? '' : `${id} ${residual}: `;
  return addr$.pipe(map((addr) => where + showAddr(addr)));
};

const BOOK: Readonly<Record<string, readonly [script: string, told: string]>> = {
  'a file that is there is read at once': ['1', '1'],
  'a renamed one takes its place at the next look': ['12', '1 249ms 2'],
  'one that is gone is gone, and returns': ['1-2', '1 249ms n 249ms 2'],
  'one that is written in place counts when it was the same twice': ['abb', '1 499ms 2'],
  'a half-written line is waited for': ['aAbb', '1 749ms 2'],
  'so is a file that was cut to write it anew': ['aebb', '1 749ms 2'],
  'a file that stays empty has nobody': ['aee', '1 499ms e'],
  'a last line without an end counts when nobody goes on writing': ['aBB', '1 499ms 2'],
  'one that is written without a pause counts after two seconds': [
    `a${'bc'.repeat(9)}`,
    '1 2249ms 2',
  ],
  'a malformed line fails the file, and it comes back': ['axxbb', '1 499ms x 499ms 2'],
  'a folder has no addresses itself': ['/1', 'n 249ms 1'],
  'a file that cannot be read is there, and fails': ['1%1', '1 249ms f 249ms 1'],
};

const SAID = {
  n: 'neg',
  e: 'nobody',
  x: '/d/web: malformed address: no address (line 1: expected host port [* weight])',
  f: 'EACCES',
};

for (const [what, [script, told]] of Object.entries(BOOK))
  test(what, () =>
    marbles((m) => {
      const { follow } = start(m, { '/d/web': script });
      m.expect(follow('/web'), '^ 2400ms !').toBe(told, { ...SAID, 1: '1', 2: '2', 3: '3' });
    }),
  );

test('folders are segments, and what is behind a file is left over', () =>
  marbles((m) => {
    const { follow } = start(m, { '/d/a': '/', '/d/a/web': '1', '/d/b': '1' });
    m.expect(follow('/a/web/x'), '^ 300ms !').toBe('1', { 1: `${PREFIX}/a/web /x: 1` });
    m.expect(follow('/b/c/d'), '^ 300ms !').toBe('1', { 1: `${PREFIX}/b /c/d: 1` });
    m.expect(follow('/a'), '^ 300ms !').toBe('n', SAID);
    m.expect(follow('/none'), '^ 300ms !').toBe('n', SAID);
  }));

test('no name leaves the folder', () =>
  marbles((m) => {
    const { follow, looks } = start(m, { '/d': '/', '/e': '1', '/d/a': '/' });
    for (const name of ['/..', '/../e', '/a/../../e', '/.', '/\\x2fe', '/a\\x00', '/\\xff', '/'])
      m.expect(follow(name), '^ 300ms !').toBe('n', SAID);
    m.flush();
    assert.deepEqual([...looks.keys()], ['/d', '/d/a']);
  }));

test('a file that stays as it is is read once, and looked at once for all who ask', () =>
  marbles((m) => {
    const { follow, looks, reads } = start(m, { '/d/web': '1' });
    m.expect(follow('/web'), '^ 10s !').toBe('1', { 1: '1' });
    m.expect(follow('/web/more'), '^ 10s !').toBe('1', { 1: `${PREFIX}/web /more: 1` });
    m.flush();
    assert.equal(reads(), 1);
    // One each 250 ms, and for the second in which it lingers.
    assert.equal(looks.get('/d/web'), 45);
  }));

test('of what is missing the folder alone is looked at, and each again now and then', () =>
  marbles((m) => {
    const names = Array.from({ length: 50 }, (_, i) => `/none${i}`);
    const { follow, looks } = start(m, { '/d/web': `${'-'.repeat(8)}1` });
    for (const name of names) m.expect(follow(name), '^ 9s !').toBe('n', SAID);
    m.expect(follow('/web'), '^ 9s !').toBe('n 1999ms 1', { ...SAID, 1: '1' });
    m.flush();
    // At first, when something came, and then after five seconds.
    for (const name of names) assert.equal(looks.get(`/d${name}`), 3);
    // For a second beyond those who ask, who linger a second themselves.
    assert.equal(looks.get('/d'), 45);
  }));
