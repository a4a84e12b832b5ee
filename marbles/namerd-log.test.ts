/**
 * What is logged and reported of a name's look-ups.
 *
 * On the wire:  h head of a 200 · r head of a 500 · a b bound to A, B · n neg · p pending · t a line of text
 *               g a long one · d bound to A and to an address that cannot be dialed · x the connection broke
 * As told:      A B bound · N neg · P pending · F failed
 *
 * Chance draws 0: a delay is half of what it is at most, a period and the age of a stream are whole.
 */
import assert from 'node:assert/strict';
import type { ResolverEvent } from '../src/event.ts';
import { follow, told, wire } from '../test/support/namerd-marbles.ts';

told('flaws of an answer are logged once, until an answer had none', (m) => {
  const stream = wire(m, 'hd-d-n-d-a-d-');
  const expected = '      -A---N-A----';
  const whole = '         ^-----------!';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.flush();
  assert.equal(m.logged.length, 3);
  assert.equal(new Set(m.logged).size, 1);
  assert.match(m.logged[0] ?? '', /^warn .* rt=test dst=\/svc\/web flaws=.*"host\.example"/);
});

told('a name that fails over and over is logged once a minute', (m) => {
  const stream = wire(m, 'ha 1s t-a-t-a 61s t');
  const expected = '      -A 1s F-A-F-A 61s F';
  const whole = '         ^ 63s !';
  m.expect(follow(m, { watch: [stream] }, { periodSecs: 600 }), whole).toBe(expected);
  m.flush();
  assert.deepEqual(
    m.logged.map((line) => line.slice(0, 4)),
    ['warn', 'info', 'warn'],
  );
  assert.match(m.logged[0] ?? '', /cause=namerd: com\.example\.Oops: error$/);
});

told('a failure that came too soon to be logged is logged later, if it still stands', (m) => {
  const stream = wire(m, 'ht-a-t 59s t 1s t');
  const expected = '      -F-A-F';
  const whole = '         ^ 62s !';
  m.expect(follow(m, { watch: [stream] }, { periodSecs: 600 }), whole).toBe(expected);
  m.flush();
  assert.deepEqual(
    m.logged.map((line) => line.slice(0, 4)),
    ['warn', 'info', 'warn'],
  );
});

told('a failure that goes on and on is logged once', (m) => {
  const stream = wire(m, 'ht 61s t 61s t');
  const expected = '      -F';
  const whole = '         ^ 130s !';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.flush();
  assert.equal(m.logged.length, 1);
});

told('a fault of our own does not end a name: it is logged, and the name looked up again', (m) => {
  let isFirst = true;
  const report = () => {
    if (isFirst) {
      isFirst = false;
      throw new Error('a bug');
    }
  };
  const first = wire(m, ' ha');
  const second = wire(m, 'ha-b');
  const expected = '      -F 5s A-B';
  const whole = '         ^ 6s !';
  m.expect(follow(m, { watch: [first, second] }, { report }), whole).toBe(expected);
  m.subs(first).toBe('    ^!');
  m.subs(second).toBe('   5001ms ^ 999ms !');
  m.flush();
  assert.match(m.logged[0] ?? '', /^error .*error=Error: a bug$/);
});

told('each look-up is reported with its time: first good lines, polls, failures', (m) => {
  const reports: string[] = [];
  const report = ({ ok, ms, cause = '' }: ResolverEvent) => {
    reports.push(`${m.env.scheduler.now()} ${ok} ${ms} ${cause}`.trim());
  };
  const first = wire(m, ' h 30ms a-b-t|');
  const second = wire(m, 'h 20ms a 60s -');
  const poll = wire(m, '  h 10ms a|');
  const expected = '      - 30ms A-B-F 521ms A';
  const whole = '         ^ 61s !';
  m.expect(follow(m, { watch: [first, second], poll: [poll] }, { report }), whole).toBe(expected);
  m.flush();
  assert.deepEqual(reports, [
    '31 true 31',
    '35 false 0 namerd: com.example.Oops: error',
    '557 true 21',
    '60569 true 12',
  ]);
});
