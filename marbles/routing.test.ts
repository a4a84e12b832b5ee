/**
 * The marble kit on a whole configuration: what users test their own routing with.
 *
 *   in          a b   clients by their letters
 *   names       what a name is, as a `cold` tells
 *   health      u takes connections · r refuses · h hangs · x resets · d is dead
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { map } from 'rxjs';
import { refuse } from '../src/operators/operator.ts';
import { type Marbles, marbles } from '../src/testing/index.ts';

const CONFIG = `
routers:
- label: db
  dtab: /svc => /#/io.l5d.fs
  servers:
  - port: 5432
    identify:
    - {sni: "{tenant}.db.example.com", dst: "/svc/{tenant}"}
    - {dst: /svc/shared}
    peek: {}
    sources: {deny: 203.0.113.0/24}
    connectTimeoutMs: 100
  client: {kind: io.l5d.global, failFast: {maxConsecutiveFailures: 1, failurePenaltySecs: 1}, connectTimeoutMs: 20}
`;

const CLIENTS = {
  a: { sni: 'acme.db.example.com' },
  b: { source: '198.51.100.7' },
  x: { source: '203.0.113.9' },
};

test('rules, names and balancers are those of production', () =>
  marbles((m) => {
    const names = { '/svc/acme': ['db1'], '/svc/shared': ['db2'] };
    const r = m.router(CONFIG, { names, endpoints: { db1: 'u', db2: 'u' } });
    r.arrive(m.hot('         --a--b--x', CLIENTS));
    m.expect(r.lookedUp$).toBe('--p--q', { p: '/svc/acme', q: '/svc/shared' });
    m.expect(r.dialed$).toBe('  --1--2', { 1: 'db1', 2: 'db2' });
    m.expect(r.dispatched$).toBe('---1--2', { 1: 'db1', 2: 'db2' });
    m.expect(r.refused$).toBe(' --------d', { d: 'source-denied' });
    m.expect(r.ended$).toBe('   1003ms e--e', { e: 'end' });
  }));

test('names change, and a look-up lasts as long as its name', () =>
  marbles((m) => {
    const name$ = m.cold('     a 9ms b', { a: ['db1'], b: ['db2'] });
    const r = m.router(CONFIG, {
      names: { '/svc/shared': name$ },
      endpoints: { db1: 'u', db2: 'u' },
      until: '30s',
    });
    r.arrive(m.hot('           b 19ms b', CLIENTS));
    m.expect(r.dispatched$).toBe('-1 19ms 2', { 1: 'db1', 2: 'db2' });
    m.subs(name$).toBe('^ 29999ms !');
  }));

test('dials are refused, hang, or are reset, and accrual sees to the rest', () =>
  marbles((m) => {
    const r = m.router(CONFIG, {
      names: { '/svc/shared': ['db1', 'db2', 'db3'] },
      endpoints: {
        db1: { health: 'r', address: '10.0.0.1:5432' },
        db2: { health: 'h' },
        db3: { health: 'u', connectMs: 5, firstByteMs: 10 },
      },
    });
    r.arrive(m.hot('b', CLIENTS));
    const told: string[] = [];
    const tell = (what: string) => (endpoint: string) =>
      told.push(`${m.env.scheduler.now()} ${what} ${endpoint}`);
    r.dialed$.subscribe(tell('dialed'));
    r.failed$.subscribe(tell('failed'));
    r.dispatched$.subscribe(tell('dispatched'));
    m.flush();
    const dispatched = told.findIndex((what) => what.includes('dispatched'));
    assert.equal(told[dispatched]?.split(' ').at(-1), 'db3');
    // One of them was tried first, was put aside for it, and may be tried again a second later.
    assert.ok(told.slice(0, dispatched).every((what) => !what.includes('failed db3')));
  }));

test('an operator of the test stands in for one of the configuration', () =>
  marbles((m) => {
    const config = {
      routers: [
        {
          label: 'r',
          interpreter: { kind: 'static', names: {} },
          operators: [{ kind: 'io.l5d.rateLimit', perSecond: 1 }],
          servers: [{ port: 1, dstName: '/svc/a' }],
        },
      ],
    };
    const r = m.router(config, {
      names: { '/svc/a': ['10.0.0.1:1'] },
      operators: { 'io.l5d.rateLimit': () => map((envelope) => refuse(envelope, 'no')) },
    });
    r.arrive(m.hot('a', { a: {} }));
    m.expect(r.refused$).toBe('r', { r: 'operator' });
  }));

test('what is mistaken in a test is told', () => {
  const run = (body: (m: Marbles) => void) => () => marbles(body);
  const names = {};
  assert.throws(
    run((m) => m.router('routers: [{label: 1}]', { names })),
    /the configuration:1:\d+ routers\[0\]\.label: expected a text, got 1/,
  );
  assert.throws(
    run((m) => m.router(CONFIG, { names, endpoints: { db1: 'u 5s q' } })),
    /expected u, r, h, x or d in u 5s q, got q/,
  );
  assert.throws(
    run((m) => {
      const r = m.router(CONFIG, { names: { '/svc/shared': ['db9'] } });
      r.arrive(m.hot('b', CLIENTS));
      m.expect(r.dispatched$).toBe('--');
    }),
    /no endpoint is called db9/,
  );
});
