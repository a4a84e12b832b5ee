/**
 * Files that others edit: when the folder is looked at, and which of its states are taken.
 *
 * A folder is scripted as the states that its looks find: `{a: '1 x'}` is a file `a` with signature 1 and text `x`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { left, right } from 'fp-ts/lib/Either.js';
import { defer, map, of } from 'rxjs';
import type { Disk } from '../src/namerd/files/disk.ts';
import { FileSet, LOOK_MS } from '../src/namerd/files/file-set.ts';
import { fileOf, namespaceOf } from '../src/namerd/files/names.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

type State = Readonly<Record<string, string>> | 'broken';

interface Script {
  readonly states: readonly State[];
  /** How long a look takes, as a diagram. */
  readonly takes?: string;
}

/** Each list finds the next state, the last one for good; reads find what was listed, or `written`. */
const scripted = (m: Marbles, { states, takes = '(x|)' }: Script) => {
  let at = -1;
  const counts = { prepared: 0, lists: 0, reads: 0 };
  const now = (): State => states[Math.min(at, states.length - 1)] ?? {};
  const disk: Disk = {
    prepare: () =>
      defer(() => {
        counts.prepared += 1;
        return of(right(undefined));
      }),
    list: () =>
      defer(() => {
        at += 1;
        counts.lists += 1;
        const state = now();
        const listed = Object.entries(state).map(([name, text]) => {
          const file = fileOf(name);
          return { file: 'right' in file ? file.right : '', signature: text.split(' ')[0] ?? '' };
        });
        return m
          .cold(takes)
          .pipe(map(() => (state === 'broken' ? left('no folder') : right(listed))));
      }),
    read: (file) =>
      defer(() => {
        counts.reads += 1;
        const state = now();
        const text = state === 'broken' ? undefined : state[namespaceOf(file) ?? ''];
        const [signature = '', content = ''] = (text ?? '').split(' ');
        return of(right(text === undefined ? undefined : { content, signature }));
      }),
    write: () => m.cold('5ms (w|)').pipe(map(() => right('written'))),
    remove: () => m.cold('5ms (w|)').pipe(map(() => right(undefined))),
  };
  const parse = (text: string) => (text.startsWith('!') ? left(`nonsense ${text}`) : right(text));
  const files = new FileSet(disk, parse, m.env);
  const shown$ = files.values$.pipe(
    map((values) => [...values].map(([name, { value }]) => `${name}=${value.trim()}`).join(' ')),
  );
  return { files, shown$, counts };
};

const follows = (
  title: string,
  script: Script,
  expected: readonly [diagram: string, values: object, logged?: readonly string[]],
) =>
  test(title, () =>
    marbles((m) => {
      const { shown$ } = scripted(m, script);
      const [diagram, values, logged = []] = expected;
      m.expect(shown$, `${6 * LOOK_MS - 1}ms !`).toBe(diagram, values);
      m.flush();
      assert.deepEqual(m.logged, logged);
    }),
  );

follows(
  'a change is taken when two looks find the same',
  { states: [{ a: '1 x' }, { a: '2 ' }, { a: '3 y' }] },
  [`p ${3 * LOOK_MS - 1}ms q`, { p: 'a=x', q: 'a=y' }],
);

follows(
  'a file that is gone for the moment of a rename stays, one that is gone for good goes',
  { states: [{ a: '1 x' }, {}, { a: '1 x' }, {}, {}] },
  [`p ${4 * LOOK_MS - 1}ms q`, { p: 'a=x', q: '' }],
);

follows(
  'a new file that is being written is left alone until it rests',
  { states: [{}, { a: '1 x' }, { a: '2 xy' }, { a: '3 xyz' }] },
  [`p ${4 * LOOK_MS - 1}ms q`, { p: '', q: 'a=xyz' }],
);

follows(
  'what makes no sense is as it was before, told once, and so is its recovery',
  { states: [{ a: '1 x' }, { a: '2 !' }, { a: '2 !' }, { a: '2 !' }, { a: '3 y' }] },
  [
    `p ${5 * LOOK_MS - 1}ms q`,
    { p: 'a=x', q: 'a=y' },
    [
      'warn a stored dtab cannot be read, what is known is kept namespace=a cause=nonsense !',
      'info stored dtabs can be read again namespace=a',
    ],
  ],
);

follows(
  'a file that never made sense is no namespace, and hinders no other',
  { states: [{ a: '1 !', b: '1 x' }] },
  [
    'p',
    { p: 'b=x' },
    ['warn a stored dtab cannot be read, what is known is kept namespace=a cause=nonsense !'],
  ],
);

follows(
  'a folder that cannot be listed changes nothing, and is told once',
  { states: [{ a: '1 x' }, 'broken', 'broken', { a: '1 x' }] },
  [
    'p',
    { p: 'a=x' },
    [
      'warn a stored dtab cannot be read, what is known is kept cause=no folder',
      'info stored dtabs can be read again',
    ],
  ],
);

follows('nothing is told before the folder was listed once', { states: ['broken', { a: '1 x' }] }, [
  `${LOOK_MS}ms p`,
  { p: 'a=x' },
  [
    'warn a stored dtab cannot be read, what is known is kept cause=no folder',
    'info stored dtabs can be read again',
  ],
]);

test('a look that takes long is waited for, two listeners share one, and files at rest are read once', () =>
  marbles((m) => {
    const takes = `${2.5 * LOOK_MS}ms (x|)`;
    const { shown$, counts } = scripted(m, { states: [{ a: '1 x' }], takes });
    const told = `${2.5 * LOOK_MS}ms p`;
    m.expect(shown$, `${8 * LOOK_MS}ms !`).toBe(told, { p: 'a=x' });
    m.expect(shown$, `${8 * LOOK_MS}ms !`).toBe(told, { p: 'a=x' });
    m.flush();
    assert.deepEqual(counts, { prepared: 1, lists: 3, reads: 1 });
  }));

test('what is written is told when it is on the disk, not at the next look', () =>
  marbles((m) => {
    const { files, shown$ } = scripted(m, { states: [{ a: '1 x' }] });
    m.expect(shown$, '300ms !').toBe('p 104ms q', { p: 'a=x', q: 'a=y' });
    const done$ = files.write('a', 'y', 'always');
    m.expect(done$, '100ms ^').toBe('105ms (d|)', { d: 'done' });
  }));

test('writes of one name are serial, others go beside them, and one that is left is done all the same', () =>
  marbles((m) => {
    const { files } = scripted(m, { states: [{ a: '1 x' }] });
    m.expect(files.write('a', 'y', 'always'), '^ 1ms !').toBe('');
    m.expect(files.write('a', 'z', 'always')).toBe('10ms (d|)', { d: 'done' });
    m.expect(files.write('b', 'y', 'always')).toBe('5ms (d|)', { d: 'done' });
  }));
