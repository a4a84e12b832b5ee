/** Streams on the platform’s handles share one memory, and still each moves its own bytes, whatever happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import type { Stream, StreamLimits, Summary } from '../src/duplex/stream.ts';
import { HandleSocket } from '../src/socket/handle-socket.ts';
import { Memory, SHARED_BYTES } from '../src/socket/memory.ts';
import { fresh } from '../src/socket/read-ahead.ts';
import { makeTimers } from '../src/timers.ts';
import { type FakeHandle, FakeNative } from './support/fake-handle.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { NO_LIMITS, pattern } from './support/sockets.ts';

const STREAMS = 3;
const SIDES = ['client', 'endpoint'] as const;
type Side = (typeof SIDES)[number];

type Step =
  | {
      readonly t: 'arrive' | 'take';
      readonly on: number;
      readonly side: Side;
      readonly n: number;
    }
  | {
      readonly t: 'block' | 'unblock' | 'end' | 'fail' | 'break' | 'poll';
      readonly on: number;
      readonly side: Side;
    }
  | { readonly t: 'wait'; readonly n: number };

const side = fc.constantFrom(...SIDES);
const on = fc.nat(STREAMS - 1);
const bytes = fc.oneof(
  { weight: 3, arbitrary: fc.nat(100) },
  { weight: 2, arbitrary: fc.nat(70_000) },
  { weight: 2, arbitrary: fc.constantFrom(1, 2, 5).map((reads) => reads * SHARED_BYTES) },
  { weight: 1, arbitrary: fc.nat(600_000) },
);
const plain = (...kinds: ('block' | 'unblock' | 'end' | 'fail' | 'break' | 'poll')[]) =>
  fc.record({ t: fc.constantFrom(...kinds), on, side });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      t: fc.constantFrom('arrive' as const, 'take' as const),
      on,
      side,
      n: bytes,
    }),
  },
  { weight: 2, arbitrary: plain('block', 'unblock') },
  { weight: 10, arbitrary: plain('poll') },
  { weight: 1, arbitrary: plain('end', 'fail', 'break') },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('wait' as const), n: fc.nat(1500) }) },
);

const otherOf = (one: Side): Side => (one === 'client' ? 'endpoint' : 'client');

/** What the streams of one process share. */
class World {
  readonly native = new FakeNative();
  readonly memory = new Memory(this.native, (task) => this.#soon.push(task), {
    held: 0,
  });
  readonly clock = makeHandClock();
  readonly timers = makeTimers(this.clock.scheduler);
  readonly budget: BufferBudget;
  /** What is to be done in the next turn. */
  readonly #soon: (() => void)[] = [];

  /** The next turn of the loop has come. */
  turn(): void {
    for (const task of this.#soon.splice(0)) task();
  }

  constructor(max = 1e9) {
    this.budget = new BufferBudget(max, this.timers);
  }
}

/** One stream between two handles of the test. */
class Rig {
  readonly handles: Readonly<Record<Side, FakeHandle>>;
  readonly sent = { client: 0, endpoint: 0 };
  readonly over = { client: false, endpoint: false };
  /** Its peer reset, or writes to it fail. */
  readonly failed = { client: false, endpoint: false };
  readonly broken = { client: false, endpoint: false };
  readonly summaries: Summary[] = [];
  readonly stream: Stream;
  readonly #world: World;
  readonly #seed: number;
  readonly #released = { client: 0, endpoint: 0 };

  constructor(world: World, seed: number, limits: Partial<StreamLimits> = {}) {
    this.#world = world;
    this.#seed = seed;
    const { native, timers, budget } = world;
    this.handles = { client: native.makeTcp(), endpoint: native.makeTcp() };
    this.stream = openDuplex(this.#begun('client'), this.#begun('endpoint'), {
      limits: { ...NO_LIMITS, ...limits },
      timers,
      budget,
      answered: () => undefined,
      closed: (summary) => this.summaries.push(summary),
    });
  }

  play(step: Exclude<Step, { t: 'wait' }>): void {
    const handle = this.handles[step.side];
    if (step.t === 'poll') handle.poll();
    else if (step.t === 'take') handle.admit(step.n);
    else if (step.t === 'block') handle.block();
    else if (step.t === 'unblock') handle.admit(Number.POSITIVE_INFINITY);
    else if (this.over[step.side]) return;
    else if (step.t === 'arrive') this.say(step.side, step.n);
    else this.#leave(step.t, step.side);
  }

  say(side: Side, n: number): void {
    this.handles[side].arrive(pattern(this.#seedOf(side), this.sent[side], n));
    this.sent[side] += n;
  }

  poll(): void {
    for (const one of SIDES) this.handles[one].poll();
  }

  /** Lets both sides take everything and end. */
  settle(): void {
    for (const one of SIDES) {
      this.handles[one].admit(Number.POSITIVE_INFINITY);
      if (!this.over[one]) this.#leave('end', one);
    }
  }

  /** No byte lost, added, reordered or of another stream, and the counters true. */
  check(): void {
    for (const one of SIDES) {
      const { taken } = this.handles[otherOf(one)];
      assert.ok(taken.equals(pattern(this.#seedOf(one), 0, taken.length)), `from ${one}`);
      assert.ok(taken.length <= this.handles[one].heard);
    }
    const { client, endpoint } = this.handles;
    const { rx, tx } = this.stream;
    assert.ok(rx <= client.heard && tx <= client.taken.length);
    if (!this.#isClean()) return;
    assert.equal(rx, client.heard, 'counts what was read');
    assert.equal(tx, client.taken.length - client.takenInPart, 'counts what was written');
    if (client.writeQueueSize + client.takenInPart === 0) assert.equal(tx, endpoint.heard);
  }

  checkEnd(): void {
    this.check();
    assert.equal(this.summaries.length, 1, 'closed exactly once');
    const [summary] = this.summaries;
    const { client, endpoint } = this.handles;
    assert.deepEqual([summary?.rx, summary?.tx], [this.stream.rx, this.stream.tx]);
    assert.deepEqual(this.#released, { client: 1, endpoint: 1 });
    assert.deepEqual([client.isClosed, endpoint.isClosed], [true, true]);
    if (this.#isClean()) {
      assert.equal(summary?.close.reason, 'end');
      assert.deepEqual(
        [summary?.rx, summary?.tx, endpoint.taken.length, client.taken.length],
        [this.sent.client, this.sent.endpoint, this.sent.client, this.sent.endpoint],
      );
      assert.deepEqual([client.hasEnded, endpoint.hasEnded], [true, true]);
      assert.deepEqual([client.wasReset, endpoint.wasReset], [false, false]);
    }
    for (const one of SIDES) {
      const other = otherOf(one);
      // One side failed, and nothing is wrong with the other: it gets all that was read.
      if (!this.#isGone(one) || this.#isGone(other)) continue;
      assert.equal(this.handles[other].taken.length, this.handles[one].heard, `all of ${one}`);
      // A reset behind the last bytes of a side that was ended before is an end as good as any.
      if (summary?.close.reason !== 'end') assert.equal(summary?.close.by, one);
      else assert.ok(this.handles[other].hasEnded);
    }
  }

  #begun(side: Side) {
    const socket = new HandleSocket(this.handles[side], this.#world.memory);
    socket.released = () => {
      this.#released[side] += 1;
    };
    return fresh(socket);
  }

  #leave(how: 'end' | 'fail' | 'break', side: Side): void {
    this.over[side] = true;
    if (how === 'end') this.handles[side].arriveEnd();
    else if (how === 'fail') {
      this.failed[side] = true;
      this.handles[side].fail();
    } else {
      this.broken[side] = true;
      this.handles[side].breakWrites();
    }
  }

  #isGone(side: Side): boolean {
    return this.failed[side] || this.broken[side];
  }

  #isClean(): boolean {
    return !SIDES.some((one) => this.#isGone(one));
  }

  #seedOf(one: Side): number {
    return this.#seed * 2 + SIDES.indexOf(one);
  }
}

test('fake handles: each stream moves its own bytes, whatever happens in between', async () => {
  let leased = 0;
  const property = fc.property(
    fc.array(step, { maxLength: 80, size: 'max' }),
    fc.constantFrom(5000, 20_000, SHARED_BYTES, 262_144, 1_048_576, 1_048_576),
    fc.constantFrom(1, 50_000, 600_000, 1e9),
    (steps, bufferSizeBytes, max) => {
      const world = new World(max);
      const { budget, clock, timers } = world;
      const rigs = Array.from(
        { length: STREAMS },
        (_, seed) => new Rig(world, seed, { bufferSizeBytes }),
      );
      for (const one of steps) {
        world.turn();
        if (one.t === 'wait') clock.advance(one.n);
        else rigs[one.on]?.play(one);
        for (const rig of rigs) rig.check();
        // Beyond its limit only by one read of each direction.
        const most = max + STREAMS * 2 * SHARED_BYTES;
        assert.ok(budget.held >= 0 && budget.held <= most, `${budget.held} held`);
      }
      for (const rig of rigs) rig.settle();
      for (let i = 0; i < 200 && rigs.some(({ summaries }) => summaries.length === 0); i++) {
        world.turn();
        for (const rig of rigs) rig.poll();
        clock.advance(50);
      }
      for (const rig of rigs) {
        rig.poll();
        rig.checkEnd();
        for (const one of SIDES) if (rig.handles[one].longestRead > SHARED_BYTES) leased += 1;
      }
      assert.deepEqual([budget.held, timers.size()], [0, 0]);
    },
  );
  fc.assert(property, { numRuns: 400 });
  assert.ok(leased > 0, 'nothing was read into leased memory');
});

test('bytes that the system takes of a late write keep a stream alive', () => {
  const world = new World();
  const rig = new Rig(world, 1, { idleTimeoutMs: 1000 });
  const { client, endpoint } = rig.handles;
  client.block();
  rig.say('endpoint', 1000);
  endpoint.poll();
  for (let i = 0; i < 5; i++) {
    world.clock.advance(999);
    client.admit(100);
  }
  world.clock.advance(1);
  assert.deepEqual([rig.summaries.length, rig.stream.tx], [0, 0]);
  // The last bytes are found to have gone when the limit is looked at.
  world.clock.advance(1000);
  world.clock.advance(1000);
  assert.equal(rig.summaries[0]?.close.reason, 'idle-timeout');
});
