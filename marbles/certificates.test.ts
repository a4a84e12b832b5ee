/** Files of certificates that change: when a change is told, and when a look is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Observable, tap } from 'rxjs';
import { changes, LOOK_MS } from '../src/config/changes.ts';
import { marbles } from '../src/testing/marbles.ts';

test('a change is told once, at the next look', () =>
  marbles((m) => {
    const found = ['a', 'a', 'b', 'b', 'a'];
    const look = (): Observable<string> => m.cold(`(${found.shift() ?? 'a'}|)`);
    const told = `  ${2 * LOOK_MS}ms x ${2 * LOOK_MS - 1}ms x`;
    const until = ` ${5 * LOOK_MS}ms !`;
    m.expect(changes(look, m.env), until).toBe(told, { x: undefined });
  }));

test('a look that takes long is waited for, and none is begun beside it', () =>
  marbles((m) => {
    let open = 0;
    let most = 0;
    const look = (): Observable<string> => {
      open += 1;
      most = Math.max(most, open);
      return m.cold(`${3 * LOOK_MS}ms (s|)`).pipe(tap({ complete: () => (open -= 1) }));
    };
    m.expect(changes(look, m.env), ` ${20 * LOOK_MS}ms !`).toBe('');
    m.flush();
    assert.equal(most, 1);
  }));
