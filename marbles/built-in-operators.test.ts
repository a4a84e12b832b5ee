/** The operators that come along: limits, lists, canaries, faults and shadows, by the options of a file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { map, NEVER, of } from 'rxjs';
import type { Envelope } from '../src/envelope.ts';
import type { Ended, Operator } from '../src/operators/operator.ts';
import { shadow } from '../src/operators/shadow.ts';
import type { Path } from '../src/path.ts';
import { makeOperator } from '../src/plugins/make.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { makeTimers } from '../src/timers.ts';
import { envelopeOf, operating, own } from '../test/support/operating.ts';

/** `a` and `b` come from one client to /svc/web, `x` and `y` from another, `o` wants another name. */
const CLIENTS: Readonly<Record<string, Envelope>> = {
  a: envelopeOf('a'),
  b: envelopeOf('b'),
  c: envelopeOf('c'),
  x: envelopeOf('d', { src: '[2001:db8::1]:9' }),
  y: envelopeOf('e', { src: '[2001:db8::1]:8' }),
  o: envelopeOf('f', { dst: '/svc/other' as Path }),
};

/** Runs one operator; gives `1 a` for what passes at 1 ms, `1 -a why` for what is refused. */
const run = (
  m: Marbles,
  [by, options, isShadow = false]: readonly [string, Readonly<Record<string, unknown>>, boolean?],
  [into, ended = '-']: readonly [string, string?],
): readonly string[] => {
  const ends = Object.fromEntries(
    Object.entries(CLIENTS).map(([key, { id }]): [string, Ended] => [key, { id, reason: 'end' }]),
  );
  const { out$, told$ } = operating(m, {
    envelope$: m.hot(into, CLIENTS),
    operators$: of([{ ...own(`io.l5d.${by}`), options, isShadow }]),
    ended$: m.hot(ended, ends),
  });
  const told: string[] = [];
  const keyOf = (id: number) => Object.entries(CLIENTS).find(([, one]) => one.id === id)?.[0];
  const now = () => m.env.scheduler.now();
  told$.subscribe((what) => {
    const [id = '', , , , ...why] = what.split(' ');
    told.push(`${now()} -${keyOf(id.charCodeAt(1) - 96)} ${why.join(' ')}`);
  });
  out$.subscribe(({ id, dst, notes }) => {
    const note = Object.entries(notes ?? {}).map(([key, text]) => ` ${key}=${text}`);
    told.push(
      `${now()} ${keyOf(id)}${dst === CLIENTS[keyOf(id) ?? '']?.dst ? '' : ` ${dst}`}${note}`,
    );
  });
  // The clock goes on as long as the diagrams do.
  makeTimers(m.env.scheduler).after(m.time(`${into}|`), () => undefined);
  m.flush();
  return told;
};

test('rateLimit: so many a second of each client, after a burst', () =>
  marbles((m) => {
    assert.deepEqual(run(m, ['rateLimit', { perSecond: 2, burst: 1 }], ['abx 498ms c-y']), [
      '0 a',
      '1 -b 2 a second, source 10.0.0.1',
      '2 x',
      '501 c',
      '503 y',
    ]);
  }));

test('rateLimit: by name, for some names only, and it forgets who was quiet longest', () =>
  marbles((m) => {
    const options = { perSecond: 1, by: 'name', dst: '/svc/web' };
    assert.deepEqual(run(m, ['rateLimit', options], ['axo']), [
      '0 a',
      '1 -x 1 a second, name /svc/web',
      '2 o',
    ]);
  }));

test('rateLimit: at its most keys a client that was quiet longest starts anew', () =>
  marbles((m) => {
    assert.deepEqual(run(m, ['rateLimit', { perSecond: 1, maxKeys: 1 }], ['axby']), [
      '0 a',
      '1 x',
      '2 b',
      '3 y',
    ]);
  }));

test('concurrencyLimit: so many at one time of each client, and an end makes room', () =>
  marbles((m) => {
    assert.deepEqual(run(m, ['concurrencyLimit', { max: 1 }], ['ab-x-c', '---a']), [
      '0 a',
      '1 -b 1 at one time, source 10.0.0.1',
      '3 x',
      '5 c',
    ]);
  }));

test('sourceFilter: deny wins over allow', () =>
  marbles((m) => {
    const options = { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: '2001:db8::1' };
    assert.deepEqual(run(m, ['sourceFilter', options], ['ax']), [
      '0 a',
      '1 -x deny has 2001:db8::1',
    ]);
  }));

test('sourceFilter: who is not on the list of those that may', () =>
  marbles((m) => {
    const options = { allow: '192.0.2.1', dst: '/svc/web' };
    assert.deepEqual(run(m, ['sourceFilter', options], ['ao']), [
      '0 -a allow lacks 10.0.0.1',
      '1 o',
    ]);
  }));

test('canary: a client is in or out, whatever its port, and what stands behind the name is kept', () =>
  marbles((m) => {
    const options = { dst: '/svc', to: '/new', percent: 50 };
    assert.deepEqual(run(m, ['canary', options], ['abxyo']), [
      '0 a',
      '1 b',
      '2 x /new/web canary=/svc',
      '3 y /new/web canary=/svc',
      '4 o',
    ]);
  }));

for (const percent of [0, 1, 30, 100])
  test(`canary: ${percent} % of clients are ${percent} %`, () =>
    marbles((m) => {
      const many = Array.from({ length: 20_000 }, (_, i) =>
        envelopeOf('a', { id: i, src: `10.${i >> 14}.${(i >> 7) & 127}.${i & 127}:9` }),
      );
      let moved = 0;
      operating(m, {
        envelope$: of(...many),
        operators$: of([
          { ...own('io.l5d.canary'), options: { dst: '/svc/web', to: '/svc/new', percent } },
        ]),
      }).out$.subscribe(({ dst }) => {
        if (dst === '/svc/new') moved += 1;
      });
      assert.ok(Math.abs(moved / 200 - percent) < 1, `${moved / 200} %`);
    }));

test('fault: some are refused, others come late', () =>
  marbles(
    (m) => {
      const options = { refusePercent: 10, delayPercent: 50, delayMs: 5 };
      assert.deepEqual(run(m, ['fault', options], ['abc']), [
        '0 -a 10 % are',
        '2 c',
        '6 b fault=5 ms late',
      ]);
    },
    { random: [0.05, 0.9, 0.5, 0.4, 0.5, 0.6] },
  ));

test('a shadow does nothing, and says what it would have done', () =>
  marbles((m) => {
    const told = run(m, ['rateLimit', { perSecond: 1 }, true], ['ab']);
    assert.deepEqual(told, ['0 a', '1 b']);
    assert.deepEqual(m.logged, [
      'info an operator would refuse rt=r operator=io.l5d.rateLimit operators[0] id=2 src=10.0.0.1:40002 dst=/svc/web why=1 a second, source 10.0.0.1',
    ]);
  }));

test('a shadow that breaks is no trouble of anybody’s', () =>
  marbles((m) => {
    const broken: Operator = map(() => {
      throw new Error('boom');
    });
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('ab', CLIENTS),
      operators$: of([own('own')]),
      made: { own: (env) => shadow('own', broken, env) },
    });
    m.expect(out$, '50ms !').toBe('ab', CLIENTS);
    m.expect(told$, '50ms !').toBe('-');
    m.flush();
    assert.deepEqual(m.logged, [
      'warn the shadow of an operator broke rt=r operator=own error=Error: boom',
    ]);
  }));

test('of more sources than it remembers, a rate limit forgets the one that was quiet longest, each time', () =>
  marbles((m) => {
    const limit = makeOperator(
      { ...own('io.l5d.rateLimit'), options: { perSecond: 0.001, burst: 1, maxKeys: 100 } },
      { rt: 'r', now: () => 0, ended$: NEVER, ...m.env },
    );
    const from = (id: number, n: number) =>
      envelopeOf('a', { id, src: `10.0.${n >> 8}.${n & 255}:1` });
    const visits = [
      ...Array.from({ length: 1000 }, (_, i) => from(i, i)),
      // The last hundred are known; looking at one again makes it the newest.
      ...Array.from({ length: 100 }, (_, i) => from(2000 + i, 900 + i)),
      from(3000, 900),
      from(3001, 2000),
      from(3002, 900),
      from(3003, 901),
    ];
    const passed: number[] = [];
    of(...visits)
      .pipe(limit)
      .subscribe((given) => 't' in given || passed.push(given.id));
    assert.deepEqual(
      passed.slice(0, 1000),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    assert.deepEqual(passed.slice(1000), [3001, 3003]);
  }));
