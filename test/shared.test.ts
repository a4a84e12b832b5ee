/** Sources that are shared: begun once, also where what they say leads back to them, and let go with their last observer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, defer, finalize, NEVER, of, take, tap, throwError } from 'rxjs';
import { LINGER_MS, sharedBy } from '../src/interpreter/shared.ts';
import { marbles } from '../src/testing/marbles.ts';

test('what it says at once may lead back to it', () =>
  marbles((m) => {
    let begun = 0;
    const heard: string[] = [];
    const source$ = defer(() => {
      begun += 1;
      return concat(of('a', 'b'), NEVER);
    });
    const shared = sharedBy(String, () => source$, m.env);
    const inner = (): void => {
      shared('x').subscribe((text) => heard.push(`inner ${text}`));
    };
    const outer$ = shared('x').pipe(tap((text) => text === 'a' && inner()));
    outer$.subscribe((text) => heard.push(`outer ${text}`));
    assert.equal(begun, 1);
    assert.deepEqual(heard, ['inner a', 'outer a', 'outer b', 'inner b']);
  }));

test('whoever takes the first word alone leaves it to linger, and ends it', () =>
  marbles((m) => {
    let ended = 0;
    const source$ = concat(of('a'), NEVER).pipe(finalize(() => (ended += 1)));
    const shared = sharedBy(String, () => source$, m.env);
    for (const wait of ['', '500ms ']) {
      const late$ = m.cold(`${wait}(a|)`).pipe(tap(() => shared('x').pipe(take(1)).subscribe()));
      m.expect(late$).toBe(`${wait}(a|)`);
    }
    const look$ = m.cold(`${LINGER_MS + 499}ms a ${LINGER_MS}ms (b|)`);
    const seen: number[] = [];
    m.expect(look$.pipe(tap(() => seen.push(ended)))).toBe(
      `${LINGER_MS + 499}ms a ${LINGER_MS}ms (b|)`,
    );
    m.flush();
    assert.deepEqual(seen, [0, 1]);
  }));

test('one that fails or ends tells all, and is begun anew for the next', () =>
  marbles((m) => {
    let begun = 0;
    const source = (key: string) =>
      defer(() => {
        begun += 1;
        return key === 'bad' ? throwError(() => 'oops') : of('a');
      });
    const shared = sharedBy(String, source, m.env);
    for (const _ of [1, 2]) {
      m.expect(shared('bad')).toBe('#', {}, 'oops');
      m.expect(shared('good')).toBe('(a|)');
    }
    m.flush();
    assert.equal(begun, 4);
  }));
