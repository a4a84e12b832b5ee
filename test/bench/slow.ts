/**
 * What a slow endpoint costs the connections of a name, by what is balanced: one of ten answers ten times slower.
 * `step` is driven in virtual time, so the figures are the same on every machine. Prints means and percentiles.
 */
import { makeState, type State } from '../../src/balancer/state.ts';
import { step } from '../../src/balancer/step.ts';
import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import { DueQueue } from '../../src/heap.ts';
import { bound } from '../support/balancer.ts';

const KINDS = ['connections', 'latency'] as const;
const CONNECTIONS = 100_000;
const PER_MS = 1;
const QUICK_MS = 5;
const SLOW_MS = 50;
const NAMES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'];

interface Visit {
  readonly dial: number;
  readonly ms: number;
  due: number;
  slot: number;
}

/** Ends all that is due: its first byte has come, and its stream ends. */
const settle = (state: State, open: DueQueue<Visit>, now: number): void => {
  for (let visit = open.take(now); visit !== undefined; visit = open.take(now)) {
    step(state, { t: 'answered', at: visit.due, dial: visit.dial });
    step(state, { t: 'closed', at: visit.due, dial: visit.dial, spurned: false });
  }
};

const run = (load: (typeof KINDS)[number]): Float64Array => {
  const policy = { ...DEFAULT_POLICY, loadBalancer: { kind: 'p2c', load } } as const;
  const state = makeState(policy, 0.5);
  step(state, { t: 'resolved', at: 0, resolution: bound(...NAMES) });
  const open = new DueQueue<Visit>();
  const times = new Float64Array(CONNECTIONS);
  for (let i = 0; i < CONNECTIONS; i++) {
    const now = i / PER_MS;
    settle(state, open, now);
    const [command] = step(state, { t: 'arrived', at: now, conn: i, deadline: now + 10_000 });
    if (command?.t !== 'connect') throw new Error('expected a dial');
    const ms = command.address.text === 'A' ? SLOW_MS : QUICK_MS;
    step(state, { t: 'connected', at: now, dial: command.dial });
    open.put({ dial: command.dial, ms, due: 0, slot: -1 }, now + ms);
    times[i] = ms;
  }
  return times.sort();
};

for (const kind of KINDS) {
  const times = run(kind);
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const at = (share: number): string => String(times[Math.floor(share * times.length)]);
  const slow = (100 * times.filter((ms) => ms === SLOW_MS).length) / times.length;
  console.log(
    `${kind.padEnd(12)} mean ${mean.toFixed(2)} ms  p90 ${at(0.9)} ms  p99 ${at(0.99)} ms  at the slow one ${slow.toFixed(2)} %`,
  );
}
