/** Log lines: what they look like, what they cannot do, and what becomes of them when nobody reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logEvent } from '../src/connection-log.ts';
import type { Envelope } from '../src/envelope.ts';
import type { Level } from '../src/log.ts';
import { MOST_WAITING, makeLogWriter } from '../src/log-writer.ts';
import type { Path } from '../src/path.ts';

const makeWriter = (format: 'text' | 'json' = 'text', level: Level = 'info') => {
  const written: string[] = [];
  const soon: (() => void)[] = [];
  const done: (() => void)[] = [];
  const writer = makeLogWriter({
    write: (bytes, out) => {
      written.push(String(bytes));
      done.push(out);
    },
    soon: (task) => soon.push(task),
    now: () => 0,
    showTime: () => 'T',
    level: () => level,
    format: () => format,
  });
  return { writer, written, run: () => soon.shift()?.(), finish: () => done.shift()?.() };
};

test('lines that come together go out together, one write at a time', () => {
  const { writer, written, run, finish } = makeWriter();
  writer.log('info', 'a', { n: 1, gone: undefined });
  writer.log('warn', 'b');
  assert.deepEqual(written, []);
  run();
  writer.log('info', 'c');
  assert.deepEqual(written, ['T info a n=1\nT warn b\n']);
  finish();
  assert.deepEqual(written.slice(1), ['T info c\n']);
  finish();
  assert.ok(writer.isIdle());
});

test('a level that is off costs no line', () => {
  const { writer, run, written } = makeWriter('text', 'warn');
  writer.log('info', 'a');
  run();
  assert.deepEqual(written, []);
});

test('nothing from the network begins a line or an escape sequence', () => {
  const { writer, written, run } = makeWriter();
  writer.log('info', 'x', {
    sni: 'a\nT error b',
    esc: '\u001b[2J',
    csi: '\u009b2J',
    sep: '\u2028',
    eq: 'a=b',
    empty: '',
  });
  run();
  assert.equal(
    written[0],
    'T info x sni="a\\nT error b" esc="\\u001b[2J" csi="\\u009b2J" sep="\\u2028" eq="a=b" empty=""\n',
  );
});

test('JSON lines are one object each', () => {
  const { writer, written, run } = makeWriter('json');
  writer.log('info', 'x', { a: 'b\n', n: 1 });
  run();
  assert.deepEqual(JSON.parse(written[0] ?? ''), {
    time: 'T',
    level: 'info',
    message: 'x',
    a: 'b\n',
    n: 1,
  });
});

test('beyond 1 MiB that waits lines are dropped, counted, and the loss is told', () => {
  const { writer, written, run, finish } = makeWriter();
  writer.log('info', 'first');
  run();
  const long = 'x'.repeat(1000);
  for (let i = 0; i < 2 * (MOST_WAITING / 1000); i++) writer.log('info', long);
  const lost = writer.dropped();
  assert.ok(lost > 0);
  assert.ok(lost < 2 * (MOST_WAITING / 1000));
  finish();
  writer.log('info', 'last');
  finish();
  assert.match(
    written.at(-1) ?? '',
    new RegExp(`^T warn log lines were lost count=${lost}\nT info last\n$`),
  );
});

test('a connection’s end is one line that names its rule', () => {
  const { writer, written, run } = makeWriter();
  const envelope: Envelope = {
    id: 7,
    rt: 'web',
    rule: 'routers[0].servers[0].dstName',
    srv: '127.0.0.1:1',
    src: '10.0.0.9:5',
    dst: '/svc/a' as Path,
    at: 0,
    deadline: 1,
  };
  const close = {
    reason: 'idle-timeout',
    by: 'proxy',
    limit: '600000ms',
    place: 'routers[0].servers[1]',
  } as const;
  const times = { connectMs: 1.234, firstByteMs: 2, totalMs: 600_000.04 };
  const record = { envelope, endpoint: '10.0.0.1:80', attempts: 2, rx: 3, tx: 4, ...times, close };
  logEvent(writer.log, { t: 'ended', record });
  run();
  assert.equal(
    written[0],
    'T info connection closed id=7 rt=web srv=127.0.0.1:1 src=10.0.0.9:5 dst=/svc/a endpoint=10.0.0.1:80' +
      ' attempts=2 rx=3 tx=4 connectMs=1.2 firstByteMs=2 totalMs=600000 by=proxy' +
      ' reason="idle-timeout 600000ms routers[0].servers[1]"\n',
  );
});
