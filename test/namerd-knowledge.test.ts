/** What counts as news of a name: equality of answers, which decides what the balancer is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WeightedAddress } from '../src/address.ts';
import type { Heard } from '../src/interpreter/heard.ts';
import { learn, NOTHING } from '../src/interpreter/knowledge.ts';

const endpoint = (port: number, weight = 1): WeightedAddress => ({
  address: { ip: '10.0.0.1', port, text: `10.0.0.1:${port}` },
  weight,
});

const said = (...endpoints: readonly WeightedAddress[]): Heard => ({
  t: 'said',
  answer: { resolution: { t: 'bound', endpoints }, flaws: [] },
});

const neg: Heard = { t: 'said', answer: { resolution: { t: 'neg' }, flaws: [] } };

const isNews = (first: Heard, second: Heard): boolean =>
  learn(learn(NOTHING, first), second).news !== undefined;

test('the same endpoints in another order are no news', () => {
  assert.equal(isNews(said(endpoint(1), endpoint(2)), said(endpoint(2), endpoint(1))), false);
  assert.equal(isNews(said(), said()), false);
  assert.equal(isNews(neg, neg), false);
});

test('an endpoint more, one less, and another one are news', () => {
  assert.ok(isNews(said(endpoint(1)), said(endpoint(1), endpoint(2))));
  assert.ok(isNews(said(endpoint(1), endpoint(2)), said(endpoint(1))));
  assert.ok(isNews(said(endpoint(1)), said(endpoint(2))));
  assert.ok(isNews(said(endpoint(1)), said()));
});

test('another weight is news, and so is a drain', () => {
  assert.ok(isNews(said(endpoint(1, 1)), said(endpoint(1, 2))));
  assert.ok(isNews(said(endpoint(1, 1)), said(endpoint(1, 0))));
});

test('an empty set and a name that does not exist are two things', () => {
  assert.ok(isNews(said(), neg));
  assert.ok(isNews(neg, said()));
});

test('what is heard again is confirmed, and nothing else is', () => {
  const first = learn(NOTHING, neg);
  assert.equal(first.isConfirmed, false);
  const again = learn(first, neg);
  assert.deepEqual([again.isConfirmed, again.news], [true, undefined]);
  assert.equal(learn(again, said(endpoint(1))).isConfirmed, false);
  assert.equal(learn(again, { t: 'lost', cause: 'gone' }).isConfirmed, false);
});
