/**
 * What a decision of the balancer costs, with 10 and with 10,000 endpoints, beside a get and a set of a `Map`:
 * all in one process, in alternating rounds of one run. Prints medians and their ratios.
 */
import { choose } from '../../src/balancer/select.ts';
import { type Dial, makeState, type State } from '../../src/balancer/state.ts';
import { step } from '../../src/balancer/step.ts';
import { bound, POLICY } from '../support/balancer.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const UNITS = 200_000;

/** Connections open per endpoint while it is measured. */
const OPEN_EACH = 2;

interface Contender {
  readonly name: string;
  /** Does `UNITS` units; what it gives keeps the work from being optimised away. */
  readonly run: () => number;
}

const useMap = (): Contender => {
  const map = new Map(Array.from({ length: 1000 }, (_, i) => [i, i]));
  return {
    name: 'Map get + set',
    run: () => {
      let sum = 0;
      for (let i = 0; i < UNITS; i++) {
        const key = (i * 7919) % 1000;
        sum += map.get(key) ?? 0;
        map.set(key, i);
      }
      return sum;
    },
  };
};

/** Takes one connection in and to its endpoint; gives its dial. */
const open = (state: State, conn: number, at: number): number => {
  const [command] = step(state, { t: 'arrived', at, conn, deadline: at + 10_000 });
  if (command?.t !== 'connect') throw new Error(`not dialed: ${command?.t}`);
  step(state, { t: 'connected', at, dial: command.dial });
  return command.dial;
};

const filled = (endpoints: number): State => {
  const state = makeState(POLICY, 0.5);
  const names = Array.from({ length: endpoints }, (_, i) => `E${i}*${1 + (i % 3)}`);
  step(state, { t: 'resolved', at: 0, resolution: bound(...names) });
  for (let conn = 0; conn < OPEN_EACH * endpoints; conn++) open(state, conn, 0);
  return state;
};

const useChoose = (endpoints: number): Contender => {
  const state = filled(endpoints);
  return {
    name: `choose, ${endpoints} endpoints`,
    run: () => {
      let sum = 0;
      for (let i = 0; i < UNITS; i++) sum += choose(state, state.live)?.index ?? 0;
      return sum;
    },
  };
};

/** A whole connection for the balancer: arrived, connected, closed. */
const useSteps = (endpoints: number): Contender => {
  const state = filled(endpoints);
  const dials: number[] = [...state.dials.values()].map((dial: Dial) => dial.id);
  let at = 1;
  let conn = dials.length;
  return {
    name: `whole connection, ${endpoints} endpoints`,
    run: () => {
      for (let i = 0; i < UNITS; i++) {
        at += 0.1;
        const oldest = conn % dials.length;
        step(state, { t: 'closed', at, dial: dials[oldest] ?? 0, spurned: false });
        dials[oldest] = open(state, conn++, at);
      }
      return conn;
    },
  };
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Median ns per unit of each contender. */
const measure = (contenders: readonly Contender[]): readonly number[] => {
  const costs = contenders.map((): number[] => []);
  let sum = 0;
  // The first rounds warm up and do not count.
  for (let round = -3; round < ROUNDS; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const from = performance.now();
      sum += run();
      const ns = ((performance.now() - from) * 1e6) / UNITS;
      if (round >= 0) costs[i]?.push(ns);
    }
  }
  if (Number.isNaN(sum)) throw new Error('nothing was measured');
  return costs.map(median);
};

const contenders = [useMap(), useChoose(10), useChoose(10_000), useSteps(10), useSteps(10_000)];
const medians = measure(contenders);
const [map = Number.NaN, few = Number.NaN, many = Number.NaN, fewSteps = 0, manySteps = 0] =
  medians;
console.log(`ns per unit, medians of ${ROUNDS} alternating rounds, Node ${process.version}`);
for (const [i, { name }] of contenders.entries()) {
  const ns = medians[i] ?? Number.NaN;
  console.log(
    `${name.padEnd(36)} ${ns.toFixed(0).padStart(6)} ns  ${(ns / map).toFixed(1).padStart(5)} × Map`,
  );
}
console.log(`a decision: 10 endpoints ${(few / map).toFixed(1)} × a Map get and set (at most 20)`);
console.log(`a decision: 10,000 endpoints ${(many / few).toFixed(2)} × that of 10 (at most 2)`);
console.log(
  `a whole connection: 10,000 endpoints ${(manySteps / fewSteps).toFixed(2)} × that of 10`,
);
