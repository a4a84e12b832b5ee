/** The interpreter `io.l5d.namerd.http` over real sockets, against a namerd that says and does all that it must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOUND_1, BOUND_12, bench, ONE, TWO } from './support/namerd-bench.ts';
import { chunks, endlessLine, NEG, type Script, status } from './support/namerd-double.ts';

/** What a stream that starts well and ends badly is told as; the next one is good again. */
const endings: Readonly<Record<string, readonly [Script, cause: RegExp]>> = {
  'cut in the middle of a line': [
    chunks([`${ONE}\n`, TWO.slice(0, -9)], 'cut'),
    /^failed namerd at 127\.0\.0\.1:\d+: the connection was cut$/,
  ],
  'ended in the middle of a line': [
    chunks([`${ONE}\n`, TWO.slice(0, -9)], 'end'),
    /^failed namerd: \{"type":"bound",/,
  ],
  'ended properly': [chunks([`${ONE}\n`], 'end'), /^failed namerd: the watch ended$/],
  'ended by a text error (V18)': [chunks([`${ONE}\n`, 'error\n'], 'end'), /^failed namerd: error$/],
  'ended by a text error without LF': [chunks([`${ONE}\n`, 'oh'], 'end'), /^failed namerd: oh$/],
};

for (const [title, [script, cause]] of Object.entries(endings))
  test(`a watch that is ${title}: what is known stays, one failure, and it is opened again`, async (t) => {
    const { namerd, resolve } = await bench(t);
    namerd.set('/svc/web', ONE);
    namerd.replay('watch', script);
    const tell = resolve();
    assert.equal(await tell.next(), BOUND_1);
    assert.match(await tell.next(), cause);
    assert.equal(await tell.next(), BOUND_1);
    assert.equal(namerd.asked.length, 2);
    namerd.set('/svc/web', TWO);
    assert.equal(await tell.next(), BOUND_12);
  });

test('bytes that are no HTTP in the middle of a watch are one failure', async (t) => {
  const { namerd, resolve } = await bench(t);
  namerd.set('/svc/web', ONE);
  const tell = resolve();
  assert.equal(await tell.next(), BOUND_1);
  namerd.open[0]?.raw('zzz\r\n');
  assert.match(await tell.next(), /^failed namerd at .*: Parse Error/);
  assert.equal(await tell.next(), BOUND_1);
});

/** Lines that say nothing usable; the stream goes on after them. */
const nonsense: Readonly<Record<string, RegExp>> = {
  '{"type":"failed","cause":"consul: 503"}': /^failed namerd: consul: 503$/,
  '{"type":"failed"}': /^failed namerd: failed$/,
  '{"type":"leaf","bound":{"addr":{"type":"neg"},"id":"/#/x","path":"/"}}': /expected type bound/,
  '{"type":"unheard-of"}':
    /expected type bound, neg, pending or failed, got \{"type":"unheard-of"\}/,
  '{"type":"bound"}': /expected "addrs"/,
  'java.lang.OutOfMemoryError': /^failed namerd: java\.lang\.OutOfMemoryError$/,
};

for (const [line, cause] of Object.entries(nonsense))
  test(`a line such as ${line.slice(0, 40)} keeps what is known, and the stream`, async (t) => {
    const { namerd, resolve } = await bench(t);
    namerd.set('/svc/web', ONE);
    const tell = resolve();
    assert.equal(await tell.next(), BOUND_1);
    namerd.set('/svc/web', line);
    assert.match(await tell.next(), cause);
    namerd.set('/svc/web', ONE);
    assert.equal(await tell.next(), BOUND_1);
    assert.equal(namerd.asked.length, 1);
  });

/** Replies that are no state at all, to a watch as well as to a poll. */
const refusals: Readonly<Record<string, readonly [Script, cause: RegExp]>> = {
  'a 500 with a body': [status(500, 'oh\nno'), /^failed namerd: status 500: oh no$/],
  'a 500 without': [status(500), /^failed namerd: status 500$/],
  'a 500 with a state in it': [status(500, NEG), /^failed namerd: status 500: \{"type":"neg"\}$/],
  'a 500 that is cut': [
    (exchange) => {
      exchange.head(500);
      exchange.send('half a page');
      setImmediate(exchange.cut);
    },
    /^failed namerd: status 500: half a page$/,
  ],
  'a 404': [status(404), /^failed namerd: status 404$/],
  'a 204': [status(204), /^failed namerd: status 204$/],
  'a 302 that is not followed': [
    status(302, '', { location: '/elsewhere' }),
    /^failed namerd: status 302$/,
  ],
  'a large page of HTML': [
    status(503, '<p>'.repeat(500_000)),
    /^failed namerd: status 503: <p>.{157}…$/,
  ],
  'a connection that is closed': [({ cut }) => cut(), /^failed namerd at .*: socket hang up$/],
  'no HTTP at all': [({ raw }) => raw('220 smtp ready\r\n'), /^failed namerd at .*: Parse Error/],
};

for (const [title, [script, cause]] of Object.entries(refusals))
  for (const watch of [true, false])
    test(`${title} in reply to a ${watch ? 'watch' : 'poll'} is one failure, then it is asked again`, async (t) => {
      const { namerd, resolve } = await bench(t, { watch });
      namerd.set('/svc/web', ONE);
      namerd.replay(watch ? 'watch' : 'poll', script, script, script);
      const tell = resolve();
      assert.match(await tell.next(), cause);
      assert.equal(await tell.next(), BOUND_1);
      assert.equal(namerd.asked.length, 4);
      assert.ok(namerd.asked.every(({ target }) => target.startsWith('/api/1/resolve/')));
    });

test('a poll whose body is cut is a failure', async (t) => {
  const { namerd, resolve } = await bench(t, { watch: false });
  namerd.set('/svc/web', ONE);
  namerd.replay('poll', chunks([ONE.slice(0, 30)], 'cut'));
  const tell = resolve();
  assert.match(await tell.next(), /: the connection was cut$/);
  assert.equal(await tell.next(), BOUND_1);
});

test('a line that never ends is cut off at its limit, and the watch opened again', async (t) => {
  for (const watch of [true, false]) {
    const { namerd, resolve } = await bench(t, { watch });
    namerd.set('/svc/web', ONE);
    namerd.replay(watch ? 'watch' : 'poll', endlessLine);
    const tell = resolve();
    assert.match(await tell.next(), /^failed namerd: expected .*at most 16777216 bytes, got more$/);
    assert.equal(await tell.next(), BOUND_1);
    assert.equal(namerd.asked.length, 2);
  }
});
