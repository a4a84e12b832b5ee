/** The marble kit itself: what it lets pass, what it refuses, and how it tells a difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, delay, map, mergeMap, NEVER, throwError, timer } from 'rxjs';
import type { Operator } from '../src/operators/operator.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';

const failure = (body: (m: Marbles) => void): string => {
  try {
    marbles(body);
  } catch (error) {
    assert.ok(error instanceof assert.AssertionError, String(error));
    return error.message;
  }
  return assert.fail('the marble test passed');
};

test('compares an Observable with its diagram, and subscriptions with theirs', () =>
  marbles((m) => {
    const source = m.cold(' -a-b--|');
    const expected = '      --a-b-|';
    const subscribed = '    ^-----!';
    m.expect(source.pipe(delay(1, m.env.scheduler))).toBe(expected);
    m.subs(source).toBe(subscribed);
  }));

test('takes production units', () =>
  marbles((m) => {
    m.expect(timer(90_000, m.env.scheduler).pipe(map(() => 'a'))).toBe('90s (a|)');
    assert.equal(m.time('5s |'), 5000);
  }));

test('shows both time lines one above the other', () => {
  const message = failure((m) => m.expect(m.cold('-a--b|')).toBe('-a-b-c|'));
  assert.equal(
    message,
    [
      'the time lines differ',
      'ms        1  3  4  5  6',
      'expected  a  b     c  |',
      'actual    a     b  |',
    ].join('\n'),
  );
});

test('shows values, errors and subscriptions in the time lines', () => {
  const values = { a: { t: 'bound' } };
  const told = failure((m) => m.expect(m.cold('a#', values, 'bad')).toBe('a|', values));
  assert.match(told, /expected {2}\{ t: 'bound' \} {2}\|\nactual {4}\{ t: 'bound' \} {2}# bad$/);
  const held = failure((m) => {
    const source = m.hot('-a-');
    m.expect(source, '^-!').toBe('-a');
    m.subs(source).toBe('^--!');
  });
  assert.match(held, /ms {8}0 {2}2 {2}3\nexpected {2}\^ {5}!\nactual {4}\^ {2}!$/);
});

test('refuses an expectation that was given no diagram', () => {
  assert.match(
    failure((m) => {
      m.expect(NEVER, '^!');
      m.subs(m.cold('a'));
    }),
    /no diagram was given to: expect #1, subs #2/,
  );
});

test('refuses an async body', () => {
  const body = async (m: Marbles): Promise<void> => m.expect(m.cold('a|')).toBe('b|');
  assert.match(failure(body), /must not be async/);
});

test('draws chance from the script, and says when it is used up', () => {
  marbles(({ env }) => assert.deepEqual([env.random(), env.random()], [0.5, 0.5]));
  marbles(({ env }) => assert.deepEqual([env.random(), env.random()], [0.1, 0.9]), {
    random: [0.1, 0.9],
  });
  assert.throws(() => marbles(({ env }) => env.random(), { random: [] }), /only 0 random numbers/);
});

test('keeps what was logged', () =>
  marbles(({ env, logged }) => {
    env.log('warn', 'stale', { rt: 'web', age: 3, cause: undefined });
    assert.deepEqual(logged, ['warn stale rt=web age=3']);
  }));

test('starts each test at time 0 with a clock of its own', () => {
  marbles((m) =>
    m.expect(concat(timer(5, m.env.scheduler), m.cold('-|'))).toBe('5ms 0|', { 0: 0 }),
  );
  marbles((m) => assert.equal(m.env.scheduler.now(), 0));
});

test('lets an expected error pass', () =>
  marbles((m) => m.expect(throwError(() => 'bad')).toBe('#', {}, 'bad')));

const CONFIG = {
  routers: [
    {
      label: 'r',
      dtab: '',
      operators: [{ kind: 'io.l5d.fault' }],
      servers: [{ port: 1, dstName: '/svc/a' }],
    },
  ],
};

test('refuses a router of which nothing is expected', () => {
  const run = (m: Marbles): void =>
    m.router(CONFIG, { names: { '/svc/a': [] } }).arrive(m.hot('a', { a: {} }));
  assert.match(failure(run), /a router ran and nothing was expected; use m\.expect/);
  marbles((m) => {
    run(m);
    m.flush();
  });
});

const logOf = (operator: Operator): readonly string[] => {
  let lines: readonly string[] = [];
  marbles((m) => {
    const names = { '/svc/a': ['a'] };
    const operators = { 'io.l5d.fault': () => operator };
    const r = m.router(CONFIG, { names, endpoints: { a: 'u' }, operators });
    r.arrive(m.hot('a', { a: {} }));
    m.flush();
    lines = m.logged;
  });
  return lines;
};

test('logs what operators do that they should not', () => {
  const name = 'rt=r operator=io.l5d.fault routers[0].operators[0]';
  const boom = map((): never => {
    throw new Error('boom');
  });
  assert.deepEqual(logOf(boom), [
    `error an operator broke, it begins anew ${name} error=boom pauseMs=100`,
  ]);
  assert.deepEqual(logOf(mergeMap((one) => [one, one])), [
    `warn an operator gave what it did not have ${name}`,
  ]);
});
