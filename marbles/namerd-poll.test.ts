/**
 * How a name is polled at namerd: beside its watch, while there is none, or by choice.
 *
 * On the wire:  h head of a 200 · r head of a 500 · a b bound to A, B · n neg · p pending · t a line of text
 *               g a long one · d bound to A and to an address that cannot be dialed · x the connection broke
 * As told:      A B bound · N neg · P pending · F failed
 *
 * Chance draws 0: a delay is half of what it is at most, a period and the age of a stream are whole.
 */
import { merge } from 'rxjs';
import { follow, teller, told, wire } from '../test/support/namerd-marbles.ts';

told('a silent watch stays, and a poll helps out after 2 s', (m) => {
  const stream = wire(m, 'h 5s a-b-');
  const poll = wire(m, '        h-a|');
  const expected = '      2003ms A 2999ms B-';
  const whole = '         ^ 5s ----!';
  m.expect(follow(m, { watch: [stream], poll: [poll] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
  m.subs(poll).toBe('2s ^--!');
});

told('a safety poll beside the watch finds what the watch has missed', (m) => {
  const stream = wire(m, 'ha');
  const poll = wire(m, '  hb|');
  const expected = '      -A 60001ms B';
  const whole = '         ^ 61s !';
  m.expect(follow(m, { watch: [stream], poll: [poll] }), whole).toBe(expected);
  m.subs(poll).toBe('60001ms ^-!');
});

told('the answer of a poll is dropped if the watch has spoken since it was sent', (m) => {
  const stream = wire(m, 'ha 60s b');
  const poll = wire(m, '  h 10ms a|');
  const expected = '      -A 60s B';
  const whole = '         ^ 61s !';
  m.expect(follow(m, { watch: [stream], poll: [poll] }), whole).toBe(expected);
  m.subs(poll).toBe('60001ms ^ 11ms !');
});

told('a safety poll that fails is a failure, and the next one ends it', (m) => {
  const stream = wire(m, 'ha');
  const broken = wire(m, '(x|)');
  const good = wire(m, '  ha|');
  const expected = '      -A 59999ms F 2501ms A';
  const whole = '         ^ 63s !';
  m.expect(follow(m, { watch: [stream], poll: [broken, good] }), whole).toBe(expected);
  m.subs(broken).toBe('60001ms (^!)');
  m.subs(good).toBe('  62501ms ^-!');
});

told('while polls stand in for the watch, its failures are no news', (m) => {
  const dead = wire(m, '(x|)');
  const good = wire(m, 'ha|');
  const bad = wire(m, ' (x|)');
  const expected = '    F 2001ms A 59999ms F';
  const whole = '       ^ 63s !';
  const watch = Array.from({ length: 5 }, () => dead);
  m.expect(follow(m, { watch, poll: [good, bad] }), whole).toBe(expected);
  m.subs(dead).toBe(['(^!)', '2500ms (^!)', '7500ms (^!)', '17500ms (^!)', '37500ms (^!)']);
  m.subs(good).toBe('2s ^-!');
  m.subs(bad).toBe('62002ms (^!)');
});

told('the end of a watch is news again once it had come back', (m) => {
  const brief = wire(m, 'ha|');
  const dead = wire(m, ' (x|)');
  const good = wire(m, ' ha|');
  const expected = '     -AF 2001ms A 5999ms F';
  const whole = '        ^ 8100ms !';
  m.expect(follow(m, { watch: [brief, dead, dead, brief], poll: [good] }), whole).toBe(expected);
  m.subs(brief).toBe([' ^-!', '8002ms ^-!']);
  m.subs(dead).toBe(['  502ms (^!)', '3002ms (^!)']);
  m.subs(good).toBe('  2002ms ^-!');
});

told('the watch is tried at once when a poll finds namerd back', (m) => {
  const dead = wire(m, '(x|)');
  const back = wire(m, 'h');
  const good = wire(m, 'ha|');
  const expected = '    F 9501ms A';
  const whole = '       ^ 10s !';
  const stubs = { watch: [dead, dead, dead, back], poll: [dead, dead, good] };
  m.expect(follow(m, stubs), whole).toBe(expected);
  m.subs(good).toBe('9500ms ^-!');
  m.subs(back).toBe('9502ms ^ 498ms !');
});

told('whoever leaves ends the watch and the poll at once', (m) => {
  const stream = wire(m, 'h');
  const poll = wire(m, '  h');
  const expected = '      -';
  const whole = '         ^ 5s !';
  m.expect(follow(m, { watch: [stream], poll: [poll] }), whole).toBe(expected);
  m.subs(stream).toBe(whole);
  m.subs(poll).toBe('2s ^ 3s !');
});

told('a name without a watch is polled at once, and moves to a watch that is free', (m) => {
  const webs = wire(m, ' ha');
  const dbs = wire(m, '         hn');
  const poll = wire(m, 'hb|');
  const tell = teller(
    m,
    { '/svc/web': { watch: [webs] }, '/svc/db': { watch: [dbs], poll: [poll] } },
    { maxWatches: 1 },
  );
  const ofWeb = '      -A';
  const ofDb = '       --B 4999ms N';
  m.expect(tell('/svc/web'), '^ 5s !').toBe(ofWeb);
  m.expect(tell('/svc/db'), ' ^ 6s !').toBe(ofDb);
  m.subs(webs).toBe('  ^ 5s !');
  m.subs(dbs).toBe('   5001ms ^ 999ms !');
  m.subs(poll).toBe('  ^-!');
});

told('16 polls are on their way at one time; the others wait their turn', (m) => {
  const poll = wire(m, 'h 998ms b|');
  const names = Array.from({ length: 20 }, (_, i) => `/svc/n${i}`);
  const stubs = Object.fromEntries(names.map((name) => [name, { poll: [poll] }]));
  const expected = '    1s (BBBBBBBBBBBBBBBB) 982ms (BBBB)';
  const whole = '       ^ 3s !';
  m.expect(merge(...names.map(teller(m, stubs, { watch: false }))), whole).toBe(expected);
  m.subs(poll).toBe([
    ...Array.from({ length: 16 }, () => '^ 999ms !'),
    ...Array.from({ length: 4 }, () => '1s ^ 999ms !'),
  ]);
});

told('by choice only polls, one after the other however slow they are', (m) => {
  const slow = wire(m, 'h 5s a|');
  const expected = '    5002ms A';
  const whole = '       ^ 12s !';
  const stubs = { watch: [slow], poll: [slow, slow] };
  m.expect(follow(m, stubs, { watch: false, periodSecs: 1 }), whole).toBe(expected);
  m.subs(slow).toBe(['^ 5001ms !', '6002ms ^ 5001ms !']);
});

told('a poll without an answer is given up after 10 s, and tried again before its period', (m) => {
  const silent = wire(m, 'h');
  const good = wire(m, '  ha|');
  const broken = wire(m, '(x|)');
  const expected = '      10s F 2501ms A 59999ms F 2501ms A';
  const whole = '         ^ 76s !';
  const poll = [silent, good, broken, good];
  m.expect(follow(m, { poll }, { watch: false }), whole).toBe(expected);
  m.subs(silent).toBe('   ^ 9999ms !');
  m.subs(good).toBe([' 12500ms ^-!', '75002ms ^-!']);
  m.subs(broken).toBe('   72502ms (^!)');
});
