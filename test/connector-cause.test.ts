/** Why dials fail, as metrics name it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf, codeOf, detailOf } from '../src/connector/cause.ts';

const CAUSES = [
  ['ETIMEDOUT', 'timeout'],
  ['ECONNREFUSED', 'refused'],
  ['EMFILE', 'local'],
  ['ENFILE', 'local'],
  ['EADDRNOTAVAIL', 'local'],
  ['ENOBUFS', 'local'],
  ['ENOMEM', 'local'],
  ['ECONNRESET', 'other'],
  ['EHOSTUNREACH', 'other'],
  ['ENETUNREACH', 'other'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'other'],
  ['constructor', 'other'],
] as const;

for (const [code, cause] of CAUSES) {
  test(`${code} is ${cause}`, () => {
    const error = Object.assign(new Error('connect'), { code });
    assert.equal(causeOf(code), cause);
    assert.equal(causeOf(codeOf(error)), cause);
    assert.equal(detailOf(error), code);
  });
}

test('what has no code is other, in its own words', () => {
  for (const [error, words] of [
    [new Error('something'), 'something'],
    [Object.assign(new Error('odd'), { code: 5 }), 'odd'],
    ['thrown text', 'thrown text'],
    [undefined, 'undefined'],
  ] as const) {
    assert.equal(codeOf(error), undefined);
    assert.equal(causeOf(codeOf(error)), 'other');
    assert.equal(detailOf(error), words);
  }
});
