/**
 * Namers that give way to others while names are bound, in virtual time. Letters of a naming: p not known yet,
 * x y what a name is bound to, f it cannot be had.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { map, of } from 'rxjs';
import { leaf } from '../src/dtab/name-tree.ts';
import { changingNaming } from '../src/interpreter/changing-naming.ts';
import type { BoundTree, Naming } from '../src/interpreter/naming.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const treeOf = (letter: string): BoundTree => {
  if (letter === 'p') return { t: 'pending' };
  if (letter === 'f') return { t: 'failed', cause: 'no answer' };
  return {
    t: 'ok',
    tree: leaf({ id: `/#/${letter}` as Path, residual: '/' as Path, addr$: of() }),
  };
};

const show = (known: BoundTree): string => {
  if (known.t !== 'ok') return known.t;
  return known.tree.t === 'leaf' ? known.tree.value.id : known.tree.t;
};

/** What is told when one naming gives way to the next after 10 ms. */
const told = (m: Marbles, ...scripts: readonly string[]) => {
  const namings = scripts.map(
    (script): Naming => ({
      bind: () => m.cold(script).pipe(map(treeOf)),
      addr: () => m.cold(script).pipe(map(() => ({ t: 'neg' }))),
      delegate: () => assert.fail('nobody asks'),
    }),
  );
  const naming$ = m.cold('0 9ms 1').pipe(map((i) => namings[Number(i)] ?? assert.fail(i)));
  return changingNaming(naming$);
};

const SAID = { p: 'pending', x: '/#/x', y: '/#/y', f: 'failed' };

for (const [what, [first, second], expected] of [
  ['the next one is believed when it knows', ['p 1ms x', 'p 4ms y'], 'p 1ms x 12ms y'],
  ['what it knows too is no news', ['x', 'p 4ms x 4ms y'], 'x 19ms y'],
  ['not before the first has spoken', ['p', 'p 4ms x'], 'p 14ms x'],
  ['that it fails is told', ['x', 'p 1ms f'], 'x 11ms f'],
] as const)
  test(what, () =>
    marbles((m) => {
      const dtab$ = of([]);
      const bound$ = told(m, first, second).bind(dtab$, '/svc' as Path);
      m.expect(bound$.pipe(map(show)), '40ms !').toBe(expected, SAID);
    }),
  );

test('equal addresses of both are told once', () =>
  marbles((m) => {
    const addr$ = told(m, 'x', 'x').addr('/#/x' as Path);
    m.expect(addr$.pipe(map(({ t }) => t)), '40ms !').toBe('n', { n: 'neg' });
  }));
