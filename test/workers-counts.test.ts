/** A whole worker in this process, on real sockets and a clock that the test moves: what it says of a connection, unasked. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Path } from '../src/path.ts';
import { loadUnopened } from '../src/testing/unopened.ts';
import type { Order, Word } from '../src/workers/protocol.ts';
import { work } from '../src/workers/start.ts';
import { eventually } from './support/eventually.ts';
import { makeScope } from './support/process.ts';
import { route } from './support/route.ts';
import { makeHandEnv, portOf } from './support/serving.ts';
import { openPeer } from './support/tcp.ts';

type Of<T extends Word['t']> = Extract<Word, { readonly t: T }>;

test('a connection is in the counts that a worker says 2 s later; then it says nothing', async (t) => {
  const scope = makeScope(t);
  const { clock, env, lines } = makeHandEnv();
  const words: Word[] = [];
  const channel = new EventEmitter();
  const send = (word: Word): boolean => words.push(word) > 0;
  const order = (next: Order): boolean => channel.emit('message', next);
  const said = <T extends Word['t']>(what: T): readonly Of<T>[] =>
    words.filter((word): word is Of<T> => word.t === what);
  const world = {
    env,
    configure: () => undefined,
    logDropped: () => 0,
    turn: () => turn(),
    flush: () => Promise.resolve(),
  };
  const process = Object.assign(channel, { send }) as object as NodeJS.Process;
  const running = work(process, world).subscribe();
  scope.after(() => {
    order({ t: 'drain' });
    running.unsubscribe();
  });
  const config = loadUnopened({ routers: [route('web', [])] });
  order({ t: 'prepare', ask: 1, config });
  await eventually('it is prepared', () => said('prepared').length === 1);
  order({ t: 'commit' });
  const listening = await eventually('it listens', () =>
    lines.find(({ message }) => message === 'listening'),
  );
  clock.advance(60_000);
  words.length = 0;
  const peer = await openPeer(portOf(String(listening.fields['srv'])));
  await eventually('it asks what the name is', () => words.some(({ t }) => t === 'watch'));
  order({ t: 'resolved', rt: 'web', dst: '/svc/web' as Path, resolution: { t: 'neg' } });
  await peer.ended();
  clock.advance(1999);
  assert.equal(said('counts').length, 0);
  clock.advance(1);
  const [server] = said('counts')[0]?.snapshot.filter(({ scope }) => scope === 'server') ?? [];
  assert.equal(server?.counters.get('l5d:srv:accepts'), 1);
  assert.equal(server?.counters.get('l5d:srv:closes'), 1);
  // The name is let go within that hour.
  clock.advance(3_600_000);
  words.length = 0;
  clock.advance(3_600_000);
  assert.deepEqual(words, []);
});
