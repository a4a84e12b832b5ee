/**
 * The operators of a router: what they may do with an envelope, and what becomes of it when they do something else.
 *
 *   in      a b c …   envelopes
 *   out     a b c …   what goes on to the binder
 *   told    refusals, and what operators did that they should not
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay, EMPTY, filter, identity, map, merge, mergeMap, NEVER, of, tap } from 'rxjs';
import type { Envelope } from '../src/envelope.ts';
import { type Operator, refuse } from '../src/operators/operator.ts';
import type { Path } from '../src/path.ts';
import { type Marbles, marbles } from '../src/testing/marbles.ts';
import { envelopeOf, LETTERS, operating, own } from '../test/support/operating.ts';

const only = (...names: readonly string[]) => of(names.map(own));

/** One operator on diagrams; what is told stands by the ms at which it happened. */
const run = (
  m: Marbles,
  make: (env: { readonly scheduler: Marbles['env']['scheduler'] }) => Operator,
  [into, out]: readonly [string, string],
  values: Readonly<Record<string, Envelope>> = LETTERS,
) => {
  const { out$, told$, depart } = operating(m, {
    envelope$: m.hot(into, LETTERS),
    operators$: only('own'),
    made: { own: make },
  });
  const told: string[] = [];
  told$.subscribe((what) => told.push(`${m.env.scheduler.now()} ${what}`));
  m.expect(out$).toBe(out, values);
  return { told, depart };
};

test('an operator lets go on, later, changed, or not', () =>
  marbles((m) => {
    const renamed = (letter: string) => envelopeOf(letter, { dst: '/svc/b' as Path });
    const { told } = run(
      m,
      ({ scheduler }) =>
        mergeMap((envelope) => {
          if (envelope.id === 1) return of(envelope).pipe(delay(3, scheduler));
          if (envelope.id === 2) return of({ ...envelope, dst: '/svc/b' as Path });
          return envelope.id === 3 ? of(refuse(envelope, 'because')) : of(envelope);
        }),
      ['a-b-c-d|', '--ba--d|'],
      { ...LETTERS, b: renamed('b') },
    );
    m.flush();
    assert.deepEqual(told, ['4 -c operator own operators[0]: because']);
  }));

test('what it may not change stays as it was', () =>
  marbles((m) => {
    const bad: Readonly<Record<number, Partial<Envelope>>> = {
      1: { srv: 'x', src: 'y', rt: 'z', at: 99 },
      2: { dst: 'no path' as Path },
      3: { deadline: Number.NaN },
      4: { notes: { tier: 'gold' } },
    };
    const { told } = run(
      m,
      () => map((envelope) => ({ ...envelope, ...bad[envelope.id] })),
      ['abcd|', 'a--d|'],
      { ...LETTERS, d: envelopeOf('d', { notes: { tier: 'gold' } }) },
    );
    m.flush();
    assert.deepEqual(told, [
      '1 -b operator-failed own operators[0] gave a dst that is no path: no path',
      '2 -c operator-failed own operators[0] gave a deadline that is no time: NaN',
    ]);
  }));

test('what it gives twice, or never had, is dropped and told', () =>
  marbles((m) => {
    const { told } = run(
      m,
      () => mergeMap((envelope) => of(envelope, envelope, { ...envelope, id: 99 })),
      ['a-b|', 'a-b|'],
    );
    m.flush();
    assert.deepEqual(told, ['0 !strayed', '0 !strayed', '2 !strayed', '2 !strayed']);
  }));

test('a refusal leaves at once, and no later operator sees it', () =>
  marbles((m) => {
    const seen: number[] = [];
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('ab|', LETTERS),
      operators$: only('first', 'second'),
      made: {
        first: () => map((envelope) => (envelope.id === 1 ? refuse(envelope, 'no') : envelope)),
        second: () => tap(({ id }) => seen.push(id)),
      },
    });
    m.expect(told$, '^-!').toBe('r-', { r: '-a operator first operators[0]: no' });
    m.expect(out$).toBe('-b|', LETTERS);
    m.flush();
    assert.deepEqual(seen, [2]);
  }));

test('one that is kept ends at its deadline, or after a minute, and what comes later is nobody’s', () =>
  marbles((m) => {
    const b = envelopeOf('b', { deadline: 50 });
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('ab', { a: envelopeOf('a'), b }),
      operators$: only('own'),
      made: {
        own:
          ({ scheduler }) =>
          (envelope$) =>
            envelope$.pipe(delay(61_000, scheduler)),
      },
    });
    m.expect(told$, '70s !').toBe('50ms b 59949ms a', {
      a: '-a operator-timeout own operators[0]',
      b: '-b operator-timeout own operators[0]',
    });
    m.expect(out$, '70s !').toBe('-');
  }));

test('a client that goes away while it is kept is gone at once', () =>
  marbles((m) => {
    const { told, depart } = run(m, ({ scheduler }) => delay(10, scheduler), ['a', '-----------']);
    m.env.scheduler.schedule(() => depart('a'), 4);
    m.hot('----a').subscribe();
    m.flush();
    assert.deepEqual(told, ['4 -a departed ECONNRESET']);
  }));

test('one that errs takes down what it holds, and begins anew, later each time', () =>
  marbles((m) => {
    let made = 0;
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('a-b-c 120ms d-e', LETTERS),
      operators$: only('own'),
      made: {
        own: ({ scheduler }) => {
          made += 1;
          return (envelope$) =>
            merge(
              envelope$.pipe(
                filter(({ id }) => id === 1),
                delay(1000, scheduler),
              ),
              envelope$.pipe(
                filter(({ id }) => id !== 1),
                map((envelope) => {
                  if (envelope.id === 2) throw new Error('boom');
                  return envelope;
                }),
              ),
            );
        },
      },
    });
    const told: string[] = [];
    told$.subscribe((what) => told.push(`${m.env.scheduler.now()} ${what}`));
    m.expect(out$, '200ms !').toBe('125ms d-e', LETTERS);
    m.flush();
    const name = 'own operators[0]';
    assert.deepEqual(told, [
      `2 -b operator-failed ${name}: boom`,
      `2 -a operator-failed ${name}: boom`,
      '2 !broke',
      `4 -c operator-failed ${name} is about to begin anew`,
    ]);
    assert.equal(made, 2);
  }));

test('one that throws when it is made, or completes, is no end of the router', () =>
  marbles((m) => {
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('a', LETTERS),
      operators$: only('own'),
      made: {
        own: () => {
          throw new Error('not today');
        },
      },
    });
    m.expect(out$, '800ms !').toBe('-');
    // The first time is told before anybody can listen here.
    m.expect(told$, '800ms !').toBe('a 99ms x 199ms x 399ms x', {
      x: '!broke',
      a: '-a operator-failed own operators[0] is about to begin anew',
    });
  }));

test('completing is breaking', () =>
  marbles((m) => {
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('a 200ms b', LETTERS),
      operators$: only('own'),
      made: { own: () => () => EMPTY },
    });
    m.expect(told$, '90ms !').toBe('(xa)', {
      x: '!broke',
      a: '-a operator-failed own operators[0] is about to begin anew',
    });
    m.expect(out$, '90ms !').toBe('-');
  }));

test('a stream of one’s own may take part: a kill switch, a clock', () =>
  marbles((m) => {
    const kill$ = m.hot('--k--u--', { k: true, u: false });
    const { told } = run(
      m,
      () => (envelope$) => {
        let isKilled = false;
        return merge(
          kill$.pipe(
            tap((isOn) => {
              isKilled = isOn;
            }),
            filter(() => false),
            map((): Envelope => envelopeOf('a')),
          ),
          envelope$.pipe(map((envelope) => (isKilled ? refuse(envelope, 'killed') : envelope))),
        );
      },
      ['-a-b-c', '-a---c'],
    );
    m.flush();
    assert.deepEqual(told, ['3 -b operator own operators[0]: killed']);
  }));

test('ends of connections are heard, also of those that others refuse, and never in the middle of something', () =>
  marbles((m) => {
    const heard: string[] = [];
    const { out$ } = operating(m, {
      envelope$: m.hot('ab|', LETTERS),
      operators$: only('hears', 'refuses'),
      made: {
        hears:
          ({ ended$ }) =>
          (envelope$) =>
            merge(
              ended$.pipe(
                tap(({ id, reason }) => heard.push(`end ${id} ${reason}`)),
                mergeMap(() => EMPTY),
              ),
              envelope$.pipe(
                tap({
                  next: ({ id }) => heard.push(`in ${id}`),
                }),
              ),
            ),
        refuses: () => (envelope$) =>
          envelope$.pipe(
            map((envelope) => {
              heard.push(`before ${envelope.id}`);
              return envelope.id === 1 ? refuse(envelope, 'no') : envelope;
            }),
          ),
      },
    });
    m.expect(out$).toBe('-b|', LETTERS);
    m.flush();
    assert.deepEqual(heard, ['in 1', 'before 1', 'end 1 operator', 'in 2', 'before 2']);
  }));

test('the list changes: who stays keeps what he knows, who goes lets go what he holds', () =>
  marbles((m) => {
    const made: string[] = [];
    const named = (name: string, ms: number) => ({
      [name]: ({ scheduler }: { readonly scheduler: Marbles['env']['scheduler'] }) => {
        made.push(name);
        return delay<Envelope>(ms, scheduler);
      },
    });
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('-a--b----|', LETTERS),
      operators$: m.hot('x--y------', { x: [own('p'), own('q')], y: [own('q')] }),
      made: { ...named('p', 5), ...named('q', 2) },
    });
    // a goes through p and q though p has left meanwhile; b through q alone.
    m.expect(out$).toBe('------b-a|', LETTERS);
    m.expect(told$, '9ms !').toBe('-');
    m.flush();
    assert.deepEqual(made, ['p', 'q']);
  }));

test('the end waits for what is held, and for nothing else', () =>
  marbles((m) => {
    const { out$ } = operating(m, {
      envelope$: m.hot('a|', LETTERS),
      operators$: only('p', 'q'),
      made: {
        p: ({ scheduler }) => delay(4, scheduler),
        // A stream of its own never ends.
        q:
          ({ scheduler }) =>
          (envelope$) =>
            merge(NEVER, envelope$.pipe(delay(3, scheduler))),
      },
    });
    m.expect(out$).toBe('-------(a|)', LETTERS);
  }));

test('one that ends while it keeps something is told with how many', () =>
  marbles((m) => {
    // What filters completes with its source, at the end or when a reload removes it; a promise does not.
    const { told } = run(m, () => filter(({ id }) => id > 2), ['abc|', '--c|']);
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('-ab-c', LETTERS),
      operators$: m.hot('x--y', { x: [own('keeps')], y: [] }),
      made: { keeps: () => filter(() => false) },
    });
    m.expect(told$).toBe('---(abk)', {
      a: '-a operator-failed keeps operators[0]: it completed',
      b: '-b operator-failed keeps operators[0]: it completed',
      k: '!kept 2',
    });
    m.expect(out$).toBe('----c', LETTERS);
    m.flush();
    const why = 'operator-failed own operators[0]: it completed';
    assert.deepEqual(told, [`3 -a ${why}`, `3 -b ${why}`, '3 !kept 2']);
  }));

test('one that is dropped while it keeps something is told as well', () =>
  marbles((m) => {
    const { out$, told$ } = operating(m, {
      envelope$: m.hot('a', LETTERS),
      operators$: only('own'),
      made: { own: () => mergeMap(() => NEVER) },
    });
    m.expect(out$, '^--!').toBe('');
    m.expect(told$, '5ms !').toBe('---k', { k: '!kept 1' });
  }));

test('without operators nothing is in the way', () =>
  marbles((m) => {
    const { out$ } = operating(m, {
      envelope$: m.hot('ab|', LETTERS),
      operators$: of([]),
      made: { own: () => identity },
    });
    m.expect(out$).toBe('ab|', LETTERS);
  }));
