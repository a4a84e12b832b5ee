/**
 * A reload as lists that change: one running thing per key, for as long as the key is listed.
 *
 *   lists   1 [a]   2 [a b]   3 [b c]   4 [B]   0 []      B is b with other settings
 *   told    a b B c  a thing is given these settings, changed or not
 *           x y z    the thing of a, of b, of c is told that it ends · e and then it does
 */
import { test } from 'node:test';
import { concat, endWith, type Observable, of } from 'rxjs';
import { keyed } from '../src/keyed.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const LISTS: Readonly<Record<string, readonly string[]>> = {
  0: [],
  1: ['a'],
  2: ['a', 'b'],
  3: ['b', 'c'],
  4: ['B'],
};

const ENDS: Readonly<Record<string, string>> = { a: 'x', b: 'y', c: 'z' };

const keyOf = (item: string): string => item.toLowerCase();

/** A thing that tells its settings as they come, and then its end. */
const thing = (item$: Observable<string>, key: string): Observable<string> =>
  item$.pipe(endWith(ENDS[key] ?? ''));

const told = (title: string, body: (m: Marbles) => void): void => {
  test(title, () => marbles(body));
};

told('each key runs once, from the list that brings it to the one that lacks it', (m) => {
  const lists = m.hot('-1-----2-----3-----0-----|', LISTS);
  const expected = '   -a-----(ab)--(xbc)-(yz)--|';
  m.expect(lists.pipe(keyed(keyOf, thing))).toBe(expected);
  m.subs(lists).toBe('  ^------------------------!');
});

told('what changes under the same key is told to the thing that runs', (m) => {
  const lists = m.hot('-2----4----|', LISTS);
  const expected = '   -(ab)-(xB)-(y|)';
  m.expect(lists.pipe(keyed(keyOf, thing))).toBe(expected);
  m.subs(lists).toBe('  ^----------!');
});

told('the end of the lists is the end of every key, at their own pace', (m) => {
  const lists = m.hot('-1---|', LISTS);
  const ending = m.cold('     --e|');
  const expected = '   -a-----e|';
  const slow = (item$: Observable<string>): Observable<string> => concat(item$, ending);
  m.expect(lists.pipe(keyed(keyOf, slow))).toBe(expected);
  m.subs(ending).toBe(' -----^--!');
});

told('a key that comes back while its former thing still ends runs anew', (m) => {
  const lists = m.hot('-1---0-1-----|', LISTS);
  const ending = m.cold('     -----e|');
  const expected = '   -a-----a--e-------e|';
  const slow = (item$: Observable<string>): Observable<string> => concat(item$, ending);
  m.expect(lists.pipe(keyed(keyOf, slow))).toBe(expected);
  m.subs(ending).toBe(['-----^-----!', '-------------^-----!']);
});

told('whoever looks late finds the latest settings', (m) => {
  const lists = m.hot('-2--4-------|', LISTS);
  const expected = '   --------B---|';
  const late = (item$: Observable<string>, key: string): Observable<string> =>
    concat(m.cold(key === 'b' ? '-------|' : '|'), key === 'b' ? item$ : of());
  m.expect(lists.pipe(keyed(keyOf, late))).toBe(expected);
  m.subs(lists).toBe('  ^-----------!');
});
