/** The recorder: what it holds is replayed to the same decisions, within its bounds, whatever happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../src/balancer/messages.ts';
import { makeState, type State } from '../src/balancer/state.ts';
import { step } from '../src/balancer/step.ts';
import type { RecorderConfig } from '../src/config/config.ts';
import type { Path } from '../src/path.ts';
import { Recorder } from '../src/recorder/recorder.ts';
import { readLine } from '../src/replay/lines.ts';
import { VirtualTime } from '../src/testing/virtual-time.ts';
import { makeTimers } from '../src/timers.ts';
import { bound, POLICY } from './support/balancer.ts';
import { replayed } from './support/replayed.ts';
import { own, play, worlds } from './support/worlds.ts';

const MIB = 2 ** 20;

const CONFIG: RecorderConfig = { minutes: 0.1, maxBytes: MIB, hashAddresses: false };

const make = (config: Partial<RecorderConfig> = {}) => {
  const time = new VirtualTime();
  const recorder = new Recorder(makeTimers(time));
  recorder.configure({ ...CONFIG, ...config });
  return { time, recorder };
};

/** A name whose steps are recorded. */
const follow = (recorder: Recorder, dst: string, state: State = makeState(POLICY, 0.5)) => {
  const track = recorder.open('r', dst, state);
  return {
    take: (event: Event) => track.note(event, step(state, event)),
    end: () => track.end(),
  };
};

const envelope = (id: number, at: number, src = '10.0.0.9:4711') => ({
  id,
  rt: 'r',
  srv: '127.0.0.1:1',
  src,
  dst: '/svc/a' as Path,
  rule: 'routers[0].servers[0].dstName',
  at,
  deadline: Number.POSITIVE_INFINITY,
});

test('whatever happens to a name is replayed to the same decisions, at any moment', () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 30 }), ([given, seed, deeds], every) => {
      const { events } = play(given, seed, deeds);
      const { time, recorder } = make();
      const name = follow(recorder, '/svc/a', makeState({ ...POLICY, ...given }, seed, own));
      for (const [i, event] of events.entries()) {
        time.flush(event.at);
        name.take(event);
        if (i % every === 0)
          assert.deepEqual(
            replayed(recorder.lines(), { has: () => true, make: own }).differences,
            [],
          );
      }
      name.end();
      assert.deepEqual(replayed(recorder.lines(), { has: () => true, make: own }).differences, []);
    }),
    { numRuns: 200 },
  );
});

/** One connection after the other, each ms, through names in turn; the time passes as it does outside. */
const serve = ({ time, recorder }: ReturnType<typeof make>, names: number, ms: number): void => {
  const all = Array.from({ length: names }, (_, i) => follow(recorder, `/svc/${i}`));
  for (const { take } of all) take({ t: 'resolved', at: 0, resolution: bound('A', 'B', 'C') });
  for (let i = 0; i < ms; i++) {
    time.flush(i);
    const { take } = all[i % names] ?? follow(recorder, '/svc/x');
    const dial = Math.floor(i / names);
    recorder.came(envelope(i, i));
    take({ t: 'arrived', at: i, conn: i, deadline: i + 1000 });
    take({ t: 'connected', at: i, dial });
    take({ t: 'closed', at: i, dial, spurned: false });
  }
};

test('it goes back as far as it is told to, and keeps to its memory', () => {
  const world = make({ minutes: 0.5, maxBytes: 64 * MIB });
  serve(world, 3, 60_000);
  const { seconds = 0, bytes = 0 } = world.recorder.gauges() ?? {};
  assert.ok(seconds >= 30 && seconds <= 34, `${seconds} s`);
  assert.ok(bytes < 64 * MIB);
  const { differences, events, names } = replayed(world.recorder.lines());
  assert.deepEqual(differences, []);
  assert.equal(names, 3);
  assert.ok(events > 75_000);
});

test('where memory is short it goes less far back', () => {
  const world = make({ minutes: 10 });
  serve(world, 3, 60_000);
  const { seconds = 0, bytes = 0, overflows } = world.recorder.gauges() ?? {};
  assert.ok(bytes <= MIB, `${bytes} bytes`);
  assert.ok(seconds > 1 && seconds < 30, `${seconds} s`);
  assert.equal(overflows, 0);
  assert.deepEqual(replayed(world.recorder.lines()).differences, []);
});

test('names that do not fit are let go with all the rest, and counted', () => {
  const world = make();
  serve(world, 4000, 20_000);
  const { bytes = 0, overflows = 0 } = world.recorder.gauges() ?? {};
  assert.ok(overflows > 0);
  assert.ok(bytes <= MIB + 64 * 1024, `${bytes} bytes`);
});

test('names that do not fit are found out also where nothing happens', () => {
  const { time, recorder } = make();
  for (let i = 0; i < 4000; i++) {
    const { take } = follow(recorder, `/svc/${i}`);
    if (i === 0) recorder.configure(undefined);
    take({ t: 'resolved', at: 0, resolution: bound('A', 'B', 'C') });
  }
  recorder.configure(CONFIG);
  recorder.came(envelope(1, 0));
  time.flush(5000);
  const { bytes = 0, overflows = 0 } = recorder.gauges() ?? {};
  assert.equal(overflows, 1);
  assert.ok(bytes <= MIB, `${bytes} bytes`);
});

test('where names take much of the memory, they are not written down all the time', () => {
  const { time, recorder } = make({ minutes: 60 });
  const all = Array.from({ length: 500 }, (_, i) => follow(recorder, `/svc/${i}`));
  for (const { take } of all) take({ t: 'resolved', at: 0, resolution: bound('A', 'B') });
  let begun = 0;
  let last = 0;
  for (let at = 0; at < 20_000; at += 10) {
    time.flush(at);
    all[at % 500]?.take({ t: 'resolved', at, resolution: { t: 'confirmed' } });
    const { seconds = 0 } = recorder.gauges() ?? {};
    if (seconds < last) begun += 1;
    last = seconds;
  }
  assert.ok(begun <= 2, `${begun} times`);
  assert.deepEqual(replayed(recorder.lines()).differences, []);
});

test('after a silence of any length it goes on, from what is known then', () => {
  const { time, recorder } = make();
  const { take } = follow(recorder, '/svc/a');
  take({ t: 'resolved', at: 0, resolution: bound('A') });
  time.flush(3_600_000);
  take({ t: 'arrived', at: 3_600_000, conn: 1, deadline: 3_601_000 });
  time.flush(3_600_010);
  take({ t: 'connected', at: 3_600_010, dial: 0 });
  const { differences, events } = replayed(recorder.lines());
  assert.deepEqual(differences, []);
  assert.equal(events, 1);
});

test('a reload turns it on for names that are there, and off for good', () => {
  const { time, recorder } = make();
  recorder.configure(undefined);
  const { take } = follow(recorder, '/svc/a');
  take({ t: 'resolved', at: 0, resolution: bound('A') });
  assert.deepEqual([...recorder.lines()], []);
  assert.equal(recorder.gauges(), undefined);
  recorder.configure(CONFIG);
  recorder.came(envelope(1, 0));
  time.flush(10);
  take({ t: 'arrived', at: 10, conn: 1, deadline: 1000 });
  const { events, connections } = replayed(recorder.lines());
  assert.deepEqual([events, connections], [1, 1]);
  recorder.configure(undefined);
  assert.deepEqual([...recorder.lines()], []);
});

test('addresses of clients are hashed where that is wished, the same ones alike', () => {
  const { recorder } = make({ hashAddresses: true });
  for (const [id, src] of ['10.0.0.9:1', '10.0.0.9:2', '10.0.0.8:1'].entries())
    recorder.came({ ...envelope(id, 0, src), peer: '10.1.1.1:5', local: '10.2.2.2:6' });
  const lines = [...recorder.lines()].filter((text) => text.includes('"envelope"'));
  const [a, b, c] = lines.map((text) => JSON.parse(text).src);
  assert.equal(a.split(':')[0], b.split(':')[0]);
  assert.notEqual(a.split(':')[0], c.split(':')[0]);
  assert.doesNotMatch(lines.join('\n'), /10\.\d\./);
});

test('a decision that was another one is told, and what follows is judged again from the next checkpoint on', () => {
  const { time, recorder } = make();
  const { take } = follow(recorder, '/svc/a');
  take({ t: 'resolved', at: 0, resolution: bound('A') });
  take({ t: 'arrived', at: 1, conn: 7, deadline: 1000 });
  take({ t: 'connected', at: 2, dial: 0 });
  // The next segment.
  time.flush(1000);
  take({ t: 'answered', at: 1000, dial: 0 });
  time.flush(1010);
  take({ t: 'closed', at: 1010, dial: 0, spurned: false });
  const lines = [...recorder.lines()];
  assert.equal(lines.filter((text) => text.includes('"checkpoint"')).length, 2);
  const forged = lines.map((text) => text.replace('"conn":7,"dial":0', '"conn":8,"dial":0'));
  const { differences, differing, events } = replayed(forged);
  assert.equal(differing, 1);
  assert.deepEqual(
    [differences[0]?.event?.t, differences[0]?.replayed[0]],
    ['connected', { t: 'dispatch', conn: 7, dial: 0, address: 'A', attempts: 1 }],
  );
  assert.equal(events, 4);
});

/** Puts another number in the place of one. */
const mutated = (line: string, nth: number, value: string): string => {
  const numbers = [...line.matchAll(/(?<=[:,[])-?\d+(?:\.\d+)?(?=[,}\]])/g)];
  const found = numbers[nth % Math.max(1, numbers.length)];
  if (found === undefined) return line;
  return line.slice(0, found.index) + value + line.slice(found.index + found[0].length);
};

test('lines that somebody has changed are differences or no lines, never more than that', () => {
  const { time, recorder } = make();
  serve({ time, recorder }, 2, 10);
  const { take } = follow(recorder, '/svc/retry');
  take({ t: 'resolved', at: 10, resolution: bound('A', 'B*3', 'C*0.5') });
  for (let conn = 100; conn < 110; conn++) take({ t: 'arrived', at: 61, conn, deadline: 90 });
  for (let dial = 0; dial < 8; dial++)
    take({ t: 'connectFailed', at: 62, dial, cause: 'refused', detail: 'no' });
  time.flush(6000);
  take({ t: 'ticked', at: 6000 });
  time.flush(6010);
  take({ t: 'arrived', at: 6010, conn: 200, deadline: 9000 });
  const lines = [...recorder.lines()];
  const values = ['0', '-1', '1.5', '7', '1e9', '1e300', '-1e300', 'null', '"x"', '[]'];
  fc.assert(
    fc.property(
      fc.nat(lines.length - 1),
      fc.nat(400),
      fc.constantFrom(...values),
      (at, nth, value) => {
        const changed = lines.with(at, mutated(lines[at] ?? '', nth, value));
        const good = changed.filter((text) => readLine(text, false).t === 'line');
        assert.ok(replayed(good).names >= 1);
      },
    ),
    { numRuns: 1000 },
  );
});

test('what no balancer can have known does not hold a replay up', () => {
  const { time, recorder } = make();
  const { take } = follow(recorder, '/svc/a');
  take({ t: 'resolved', at: 1, resolution: bound('A') });
  time.flush(1000);
  take({ t: 'arrived', at: 1000, conn: 1, deadline: 2000 });
  time.flush(1010);
  take({ t: 'ticked', at: 1010 });
  const lines = [...recorder.lines()];
  for (const [from, to] of [
    ['"second":1', '"second":9007199254740992'],
    [
      '"due":[',
      '"reform":{"wanted":[],"entered":0,"looked":-1e300},"due":[{"chore":"slice","due":1},',
    ],
    ['"sparesDialing":0', '"sparesDialing":-1e300'],
    ['"weight":1,"index":0', '"weight":1,"index":0,"slot":5,"due":0'],
    ['"minConnections":0', '"minConnections":1e9'],
    ['"ttlSecs":10', '"ttlSecs":1e12'],
    ['"at":1010', '"at":1e300'],
    ['"indexes":1', '"indexes":1e9'],
  ] as const) {
    const changed = lines.map((text) => text.replace(from, to));
    assert.notDeepEqual(changed, lines, from);
    const good = changed.filter((text) => readLine(text, false).t === 'line');
    assert.ok(replayed(good).events <= 3);
  }
});
