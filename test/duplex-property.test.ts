/** Any interleaving of reads, short writes, pauses, ends and failures moves exactly the bytes of each stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BufferBudget } from '../src/duplex/budget.ts';
import { openDuplex } from '../src/duplex/duplex.ts';
import type { Stream, Summary } from '../src/duplex/stream.ts';
import { fresh } from '../src/socket/read-ahead.ts';
import { StreamSocket } from '../src/socket/stream-socket.ts';
import { makeTimers } from '../src/timers.ts';
import { FakeSocket } from './support/fake-socket.ts';
import { makeHandClock } from './support/hand-clock.ts';
import { handlesGone, NO_LIMITS, onBoth, openHandles, pattern, turn } from './support/sockets.ts';

const STREAMS = 3;
const SIDES = ['client', 'endpoint'] as const;
type Side = (typeof SIDES)[number];

type Step =
  | { readonly t: 'arrive' | 'take'; readonly on: number; readonly side: Side; readonly n: number }
  | {
      readonly t: 'block' | 'unblock' | 'end' | 'fail' | 'break';
      readonly on: number;
      readonly side: Side;
    }
  | { readonly t: 'turn' }
  | { readonly t: 'wait'; readonly n: number };

const side = fc.constantFrom(...SIDES);
const on = fc.nat(STREAMS - 1);
const sized = (most: number) =>
  fc.record({ t: fc.constantFrom('arrive' as const, 'take' as const), on, side, n: fc.nat(most) });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: sized(100) },
  { weight: 3, arbitrary: sized(70_000) },
  {
    weight: 2,
    arbitrary: fc.record({ t: fc.constantFrom('block' as const, 'unblock' as const), on, side }),
  },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('end' as const), on, side }) },
  {
    weight: 1,
    arbitrary: fc.record({ t: fc.constantFrom('fail' as const, 'break' as const), on, side }),
  },
  { weight: 6, arbitrary: fc.constant<Step>({ t: 'turn' }) },
  { weight: 1, arbitrary: fc.record({ t: fc.constant('wait' as const), n: fc.nat(200) }) },
);

const otherOf = (one: Side): Side => (one === 'client' ? 'endpoint' : 'client');

/** One stream between two sockets of the test. */
class Rig {
  readonly sockets = { client: new FakeSocket(), endpoint: new FakeSocket() };
  readonly sent = { client: 0, endpoint: 0 };
  readonly over = { client: false, endpoint: false };
  /** Reading failed, or writes do. */
  readonly failed = { client: false, endpoint: false };
  readonly broken = { client: false, endpoint: false };
  readonly summaries: Summary[] = [];
  readonly stream: Stream;
  readonly #seed: number;

  constructor(
    seed: number,
    options: Omit<Parameters<typeof openDuplex>[2], 'answered' | 'closed'>,
  ) {
    this.#seed = seed;
    const { client, endpoint } = this.sockets;
    const sides = [
      fresh(new StreamSocket(client, options.budget)),
      fresh(new StreamSocket(endpoint, options.budget)),
    ] as const;
    this.stream = openDuplex(...sides, {
      ...options,
      answered: () => undefined,
      closed: (summary) => this.summaries.push(summary),
    });
  }

  play(step: Exclude<Step, { t: 'turn' | 'wait' }>): void {
    const socket = this.sockets[step.side];
    if (step.t === 'take') socket.admit(step.n);
    else if (step.t === 'block') socket.block();
    else if (step.t === 'unblock') socket.admit(Number.POSITIVE_INFINITY);
    else if (step.t === 'break') {
      this.broken[step.side] = true;
      socket.breakWrites();
    } else if (!this.over[step.side]) this.#say(step);
  }

  #say(step: Extract<Step, { on: number }>): void {
    const socket = this.sockets[step.side];
    if (step.t === 'arrive' && 'n' in step) {
      socket.arrive(pattern(this.#seedOf(step.side), this.sent[step.side], step.n));
      this.sent[step.side] += step.n;
      return;
    }
    this.over[step.side] = true;
    if (step.t === 'end') socket.arriveEnd();
    else {
      this.failed[step.side] = true;
      socket.fail();
    }
  }

  /** Lets both sides take everything and end. */
  settle(): void {
    for (const one of SIDES) {
      this.sockets[one].admit(Number.POSITIVE_INFINITY);
      if (!this.over[one]) this.#say({ t: 'end', on: 0, side: one });
    }
  }

  #seedOf(one: Side): number {
    return this.#seed * 2 + (one === 'client' ? 0 : 1);
  }

  /** No byte lost, added, reordered or of another stream. */
  check(): void {
    for (const one of SIDES) {
      const other = otherOf(one);
      const { taken } = this.sockets[other];
      assert.ok(taken.equals(pattern(this.#seedOf(one), 0, taken.length)), `${one} → ${other}`);
      assert.ok(taken.length <= this.sockets[one].heard);
    }
  }

  checkEnd(): void {
    this.check();
    assert.equal(this.summaries.length, 1, 'closed exactly once');
    const [summary] = this.summaries;
    const { client, endpoint } = this.sockets;
    const clean = SIDES.every((one) => !this.failed[one] && !this.broken[one]);
    if (clean) {
      assert.deepEqual([summary?.rx, summary?.tx], [this.sent.client, this.sent.endpoint]);
      assert.equal(summary?.close.reason, 'end');
      assert.deepEqual(
        [endpoint.taken.length, client.taken.length],
        [this.sent.client, this.sent.endpoint],
      );
    }
    assert.ok((summary?.tx ?? 0) <= client.taken.length, 'counts no byte that was not taken');
    for (const one of SIDES) {
      const other = otherOf(one);
      // One side failed, and nothing is wrong with the other: it gets all that was read.
      if (!this.failed[one] || this.broken[one] || this.failed[other] || this.broken[other])
        continue;
      assert.equal(
        this.sockets[other].taken.length,
        this.sockets[one].heard,
        'delivers what was read',
      );
      assert.deepEqual([summary?.close.reason, summary?.close.by], ['reset', one]);
    }
  }
}

test('fake sockets: each stream moves its own bytes, whatever happens in between', async () => {
  const sizes = fc.constantFrom(1, 100, 20_000, 1_048_576);
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 60, size: 'max' }),
    sizes,
    fc.constantFrom(1, 50_000, 1e9),
    async (steps, bufferSizeBytes, max) => {
      const clock = makeHandClock();
      const timers = makeTimers(clock.scheduler);
      const budget = new BufferBudget(max, timers);
      const limits = { ...NO_LIMITS, bufferSizeBytes };
      const rigs = Array.from(
        { length: STREAMS },
        (_, seed) => new Rig(seed, { limits, timers, budget }),
      );
      for (const one of steps) {
        if (one.t === 'turn') await turn();
        else if (one.t === 'wait') clock.advance(one.n);
        else rigs[one.on]?.play(one);
        for (const rig of rigs) rig.check();
      }
      for (const rig of rigs) rig.settle();
      for (let i = 0; i < 50 && rigs.some(({ summaries }) => summaries.length === 0); i++) {
        await turn();
        clock.advance(50);
      }
      await turn();
      for (const rig of rigs) rig.checkEnd();
      assert.deepEqual([budget.held, timers.size()], [0, 0]);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

const socketStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ t: fc.constant('write' as const), on, side, n: fc.nat(300_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      t: fc.constantFrom('pause' as const, 'resume' as const),
      on,
      side,
      n: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      t: fc.constantFrom('end' as const, 'reset' as const),
      on,
      side,
      n: fc.constant(0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ t: fc.constant('turn' as const), on, side, n: fc.nat(5) }),
  },
);

onBoth(
  'real sockets: each stream moves its own bytes, whatever happens in between',
  async (t, { join }) => {
    const before = openHandles();
    const property = fc.asyncProperty(
      fc.array(socketStep, { maxLength: 60, size: 'max' }),
      fc.constantFrom(20_000, 1_048_576),
      async (steps, bufferSizeBytes) => {
        const limits = { bufferSizeBytes };
        const rigs = await Promise.all(
          Array.from({ length: STREAMS }, async () => ({
            joined: await join(t, { limits }),
            sent: { client: 0, endpoint: 0 },
            over: { client: false, endpoint: false },
            reset: false,
          })),
        );
        for (const { joined } of rigs)
          for (const one of SIDES) joined[one].socket.on('error', () => undefined);
        const end = (rig: (typeof rigs)[number], one: Side): void => {
          if (!rig.over[one]) rig.joined[one].socket.end();
          rig.over[one] = true;
        };
        for (const { t: what, on: number, side: one, n } of steps) {
          const rig = rigs[number];
          if (rig === undefined) continue;
          const { socket } = rig.joined[one];
          if (what === 'turn') for (let i = 0; i < n; i++) await turn();
          else if (what === 'pause') socket.pause();
          else if (what === 'resume') socket.resume();
          else if (what === 'end') end(rig, one);
          else if (what === 'reset') {
            rig.reset = true;
            rig.over[one] = true;
            rig.joined[one].resets();
          } else if (!rig.over[one]) {
            socket.write(pattern(number * 2 + SIDES.indexOf(one), rig.sent[one], n));
            rig.sent[one] += n;
          }
        }
        await Promise.all(
          rigs.map(async (rig, number) => {
            const { joined, sent } = rig;
            for (const one of SIDES) {
              joined[one].socket.resume();
              end(rig, one);
            }
            for (let told = false; !told; ) {
              joined.clock.advance(10);
              told = await Promise.race([
                joined.summary.then(() => true),
                turn().then(() => false),
              ]);
            }
            await Promise.all([joined.client.outcome, joined.endpoint.outcome]);
            for (const one of SIDES) {
              const { received } = joined[otherOf(one)];
              const seed = number * 2 + SIDES.indexOf(one);
              assert.ok(received.equals(pattern(seed, 0, received.length)), `${one} of ${number}`);
              if (!rig.reset) assert.equal(received.length, sent[one]);
            }
            const { rx, tx, close } = await joined.summary;
            if (!rig.reset)
              assert.deepEqual([rx, tx, close.reason], [sent.client, sent.endpoint, 'end']);
            assert.equal(joined.budget.held, 0);
            for (const one of SIDES) joined[one].socket.destroy();
          }),
        );
      },
    );
    await fc.assert(property, { numRuns: 40 });
    await handlesGone(before);
  },
);
