/**
 * How a name is watched at namerd: lines, ends, delays.
 *
 * On the wire:  h head of a 200 · r head of a 500 · a b bound to A, B · n neg · p pending · t a line of text
 *               g a long one · d bound to A and to an address that cannot be dialed · x the connection broke
 * As told:      A B bound · N neg · P pending · F failed
 *
 * Chance draws 0: a delay is half of what it is at most, a period and the age of a stream are whole.
 */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { map } from 'rxjs';
import { wait } from '../src/interpreter/wait.ts';
import { marbles } from '../src/testing/marbles.ts';
import { follow, told, wire } from '../test/support/namerd-marbles.ts';

told('V22: tells nothing while the name is pending, then each line as it comes', (m) => {
  const stream = wire(m, 'h 1s a-b-n---');
  const expected = '      - 1s A-B-N---';
  const whole = '         ^ 1s ------!';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
});

told('V20, V25: a name that went comes back on the same stream', (m) => {
  const stream = wire(m, 'ha-b-n 30s b-n--a-');
  const expected = '      -A-B-N 30s B-N--A-';
  const whole = '         ^----- 30s -------!';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
});

told('tells equal news once', (m) => {
  const stream = wire(m, 'ha-a-b-b-n-n-a-');
  const expected = '      -A---B---N---A-';
  const whole = '         ^-------------!';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
});

told('passes on that the name is pending, and tells it again when it is not', (m) => {
  const stream = wire(m, 'hp-p-a-p-a-');
  const expected = '      -P---A-P-A-';
  const whole = '         ^---------!';
  m.expect(follow(m, { watch: [stream] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
});

told(
  'V26: a text error and the end of the stream are one failure, and what was known comes again',
  (m) => {
    const first = wire(m, '  ha-t|');
    const second = wire(m, ' ha---');
    const expected = '       -A-F- 500ms A---';
    const whole = '          ^---- 500ms ---!';
    m.expect(follow(m, { watch: [first, second] }), whole).toBe(expected);
    m.subs(first).toBe('     ^---!');
    m.subs(second).toBe('    ----- 499ms ^---!');
  },
);

told('opens a watch again with growing delays, and tells one failure of them all', (m) => {
  const dead = wire(m, '--x');
  const expected = '    --F';
  const whole = '       ^ 18s !';
  m.expect(follow(m, { watch: [dead, dead, dead, dead] }), whole).toBe(expected);
  m.subs(dead).toBe(['^-!', '2502ms ^-!', '7504ms ^-!', '17506ms ^-!']);
});

told('the delays grow up to their maximum', (m) => {
  const dead = wire(m, '(x|)');
  const retry = { baseSeconds: 5, maxSeconds: 8 };
  const expected = '    F';
  const whole = '       ^ 11s !';
  m.expect(follow(m, { watch: [dead, dead, dead, dead] }, { retry }), whole).toBe(expected);
  m.subs(dead).toBe(['(^!)', '2500ms (^!)', '6500ms (^!)', '10500ms (^!)']);
});

test('chance spreads the delays between half and all', () =>
  marbles(
    (m) => {
      const dead = wire(m, '(x|)');
      const expected = '    F';
      const whole = '       ^ 13s !';
      m.expect(follow(m, { watch: [dead, dead, dead] }), whole).toBe(expected);
      m.subs(dead).toBe(['(^!)', '4500ms (^!)', '12500ms (^!)']);
    },
    // For each stream its age, then the delay after it; the poll in between draws two.
    { random: [0, 0.8, 0, 0.6, 0, 0, 0, 0] },
  ));

told('a good line clears the delays: the next stream comes within a second', (m) => {
  const dead = wire(m, '(x|)');
  const good = wire(m, '        ha|');
  const expected = '    F 7500ms AF';
  const whole = '       ^ 11s !';
  m.expect(follow(m, { watch: [dead, dead, good, dead, dead] }), whole).toBe(expected);
  m.subs(dead).toBe(['(^!)', '2500ms (^!)', '8002ms (^!)', '10502ms (^!)']);
  m.subs(good).toBe('7500ms ^-!');
});

told('a server that ends each watch after its first line is asked less and less', (m) => {
  const brief = wire(m, 'ha|');
  const expected = '     -AF 500ms AF 1s AF 2s AF 2500ms AF';
  const whole = '        ^ 7s !';
  m.expect(follow(m, { watch: [brief, brief, brief, brief, brief] }), whole).toBe(expected);
  m.subs(brief).toBe(['^-!', '502ms ^-!', '1504ms ^-!', '3506ms ^-!', '6008ms ^-!']);
});

told('a stream that lived for 10 s is followed at once, time and again', (m) => {
  const steady = wire(m, 'ha 10s |');
  const expected = '      -A 10s F 500ms A 10s F 500ms A';
  const whole = '         ^ 22s !';
  m.expect(follow(m, { watch: [steady, steady, steady] }), whole).toBe(expected);
  m.subs(steady).toBe(['^ 10001ms !', '10502ms ^ 10001ms !', '21004ms ^ 996ms !']);
});

told('a watch without a head is given up after 10 s', (m) => {
  const mute = wire(m, '-');
  const expected = '    10s F';
  const whole = '       ^ 11s !';
  m.expect(follow(m, { watch: [mute] }), whole).toBe(expected);
  m.subs(mute).toBe('   ^ 9999ms !');
});

told('a refusal is not parsed, and its body not waited for', (m) => {
  const refusal = wire(m, 'r-a-b-n');
  const expected = '       1s F';
  const whole = '          ^ 2s !';
  m.expect(follow(m, { watch: [refusal] }), whole).toBe(expected);
  m.subs(refusal).toBe('   ^ 999ms !');
});

told('a refusal with a long body is one at once', (m) => {
  const refusal = wire(m, 'r-g');
  const expected = '       --F';
  const whole = '          ^ 1s !';
  m.expect(follow(m, { watch: [refusal] }), whole).toBe(expected);
  m.subs(refusal).toBe('   ^-!');
});

told('a watch is opened anew when it is old, and nothing that is known is lost', (m) => {
  const first = wire(m, ' ha');
  const second = wire(m, 'h-a-b');
  const expected = '      -A 600002ms B';
  const whole = '         ^ 601s !';
  const stubs = { watch: [first, second] };
  m.expect(follow(m, stubs, { periodSecs: 3600 }), whole).toBe(expected);
  m.subs(first).toBe('    ^ 599999ms !');
  m.subs(second).toBe('   600s ^ 1s !');
});

told('whoever leaves while the watch waits to come back leaves nothing behind', (m) => {
  const dead = wire(m, '(x|)');
  const expected = '    F';
  const whole = '       ^ 1s !';
  m.expect(follow(m, { watch: [dead, dead], poll: [dead] }), whole).toBe(expected);
  m.subs(dead).toBe('(^!)');
});

told('a wait longer than a timer can be is cut into pieces', (m) => {
  const schedule = mock.method(m.env.scheduler, 'schedule');
  const years = 2 ** 31 - 1 + 5000;
  m.expect(wait(years, m.env.scheduler).pipe(map(() => 'w'))).toBe(`${years}ms (w|)`);
  m.flush();
  const delays = schedule.mock.calls.map(({ arguments: [, delay = 0] }) => delay);
  assert.deepEqual(
    delays.filter((delay) => delay > 0),
    [2 ** 31 - 1, 5000],
  );
});
