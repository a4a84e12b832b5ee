/**
 * What is made for each connection has one shape (a hidden class of V8). Where a literal begins with a spread and goes
 * on with more keys, Node 20 gives each object a shape of its own from about the tenth on: that takes 2 µs, is garbage
 * that only a full collection finds, and makes all slow that reads them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { filter, firstValueFrom, merge, NEVER, of, ReplaySubject, take, toArray } from 'rxjs';
import { runRouters } from '../src/embed.ts';
import { makeEnvelope } from '../src/envelope.ts';
import type { RouterEvent } from '../src/event.ts';
import { revise } from '../src/operators/revise.ts';
import { noted } from '../src/operators/scope.ts';
import type { Path } from '../src/path.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import { makeScope } from './support/process.ts';
import { openPeer, startEcho } from './support/tcp.ts';

setFlagsFromString('--allow-natives-syntax');
const isAlike = runInNewContext('(one, other) => %HaveSameMap(one, other)') as (
  one: object | undefined,
  other: object | undefined,
) => boolean;

/** So many are made before two are compared. */
const MANY = 40;

type Of<T extends RouterEvent['t']> = Extract<RouterEvent, { readonly t: T }>;

test('connections of one server are told of in objects of one shape', async (t) => {
  const scope = makeScope(t);
  const echo = await startEcho(scope);
  const config = loadUnopened({
    log: { level: 'error' },
    routers: [
      {
        label: 'r',
        interpreter: { kind: 'static', names: { '/svc/a': [`127.0.0.1:${echo}`] } },
        servers: [{ port: 0, dstName: '/svc/a' }],
      },
    ],
  });
  const event$ = new ReplaySubject<RouterEvent>();
  const running = runRouters({ config$: merge(of(config), NEVER) }).subscribe(event$);
  scope.after(() => running.unsubscribe());
  const told = <T extends RouterEvent['t']>(what: T, count: number): Promise<readonly Of<T>[]> =>
    firstValueFrom(
      event$.pipe(
        filter((event): event is Of<T> => event.t === what),
        take(count),
        toArray(),
      ),
    );
  const [listening] = await told('listening', 1);
  const port = Number(listening?.srv.split(':')[1]);
  for (let i = 0; i < MANY; i++) {
    const peer = await openPeer(port);
    peer.socket.end('hello');
    await told('ended', i + 1);
  }
  const [one, other] = (await told('ended', MANY)).slice(-2);
  assert.ok(isAlike(one, other), 'the event');
  assert.ok(isAlike(one?.record, other?.record), 'the record');
  assert.ok(isAlike(one?.record.envelope, other?.record.envelope), 'the envelope');
  assert.ok(isAlike(one?.record.close, other?.record.close), 'its end');
});

test('envelopes that an operator has changed have one shape', () => {
  const revised = Array.from({ length: MANY }, (_, id) => {
    const place = { id, rt: 'r', srv: '127.0.0.1:1', deadline: 1000 };
    const known = { src: '10.0.0.1:4', dst: '/svc/a' as Path, rule: '', at: 0 };
    const envelope = makeEnvelope(place, known);
    const notes = noted(envelope, 'canary', '/svc');
    return revise(envelope, { ...envelope, dst: '/svc/b', notes });
  });
  const [one, other] = revised.slice(-2);
  assert.ok(typeof one === 'object' && typeof other === 'object' && isAlike(one, other));
});
