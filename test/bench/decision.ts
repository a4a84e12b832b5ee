/**
 * What a decision of the balancer costs, with 10 and with 10,000 endpoints, and the way to a name, beside a get and a set of
 * a `Map`: all in one process, in alternating rounds of one run. Prints medians and their ratios.
 */
import { measureWork, useChoose, useMap, useNames, useSteps } from './decisions.ts';
import { median } from './machine.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);

const works = [
  useMap(),
  useChoose(10),
  useChoose(10_000),
  useSteps(10),
  useSteps(10_000),
  useNames(10),
  useNames(10_000),
];
const medians = measureWork(works, ROUNDS).map(median);
const [
  map = Number.NaN,
  few = 0,
  many = 0,
  fewSteps = 0,
  manySteps = 0,
  fewNames = 0,
  manyNames = 0,
] = medians;
console.log(`ns per unit, medians of ${ROUNDS} alternating rounds, Node ${process.version}`);
for (const [i, { name }] of works.entries()) {
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
console.log(`to a name: 10,000 names ${(manyNames / fewNames).toFixed(2)} × that of 10`);
