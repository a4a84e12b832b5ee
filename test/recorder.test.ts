/** The recorder: what it holds is replayed to the same decisions, within its bounds, whatever happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { State } from '../src/balancer/state.ts';
import { makeState } from '../src/balancer/state.ts';
import { step } from '../src/balancer/step.ts';
import { Recorder } from '../src/recorder/recorder.ts';
import { readLine } from '../src/replay/lines.ts';
import { Verifier } from '../src/replay/verify.ts';
import { VirtualTime } from '../src/testing/virtual-time.ts';
import { makeTimers } from '../src/timers.ts';
import { POLICY } from './support/balancer.ts';
import { play, worlds } from './support/worlds.ts';

const MIB = 2 ** 20;

const verified = (lines: Iterable<string>) => {
  const verifier = new Verifier();
  for (const text of lines) {
    const read = readLine(text, false);
    if (read.t !== 'line') throw new Error(read.t === 'bad' ? read.error : 'a head');
    verifier.take(read.line);
  }
  return verifier.verdict();
};

test('whatever happens to a name is replayed to the same decisions, from any segment on', () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 30 }), ([given, seed, deeds], every) => {
      const { events } = play(given, seed, deeds);
      const time = new VirtualTime();
      const recorder = new Recorder(makeTimers(time));
      const minutes = 0.1;
      recorder.configure({ minutes, maxBytes: MIB, hashAddresses: false });
      const state: State = makeState({ ...POLICY, ...given }, seed);
      const track = recorder.open('r', '/svc/a', state);
      for (const [i, event] of events.entries()) {
        time.flush(event.at);
        track.note(event, step(state, event));
        if (i % every === 0) {
          const { differences, names } = verified(recorder.lines());
          assert.deepEqual(differences, []);
          assert.ok(names <= 1);
        }
      }
      track.end();
      const { differences } = verified(recorder.lines());
      assert.deepEqual(differences, []);
    }),
    { numRuns: 200 },
  );
});
