/** Rows of marbles are read as RxJS reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { parseRow } from '../src/simulate/row.ts';
import { marbles, rxMarks } from '../src/testing/marbles.ts';

const piece = fc.oneof(
  fc.constantFrom('-', '--', 'a', 'b', '1', ' ', '  ', '(ab)', '( a b )', '(c)'),
  fc.constantFrom(' 5ms ', ' 1.5s ', ' 2m ', ' 10ms -', ' 3ms 4ms '),
);

test('what is well formed means what it means to RxJS', () => {
  // Within a marble test a frame of RxJS is 1 ms.
  marbles(() =>
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const own = parseRow(text);
        assert.ok(isRight(own), text);
        assert.deepEqual(own.right, rxMarks(text));
      }),
      { numRuns: 500 },
    ),
  );
});

const WRONG: Readonly<Record<string, readonly [column: number, message: string]>> = {
  'a(b': [4, 'expected ) at the end'],
  'a)b': [2, 'expected ( before )'],
  '(a(b': [3, 'expected ) before another ('],
  'a|': [2, 'expected -, a letter, a digit, ( ) or a time such as 250ms, got |'],
};

for (const [text, [column, message]] of Object.entries(WRONG))
  test(`what is wrong is told with its place: ${text}`, () => {
    const read = parseRow(text);
    assert.ok(isLeft(read));
    assert.deepEqual(read.left, { column, message });
  });
