/**
 * A set of 10,000 endpoints that changes by half, from a file through a namerd to a balancer in this process:
 * `node dist/test/bench/large-set.js`. Prints how long the event loop is held at one time.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { makeState } from '../../src/balancer/state.ts';
import { step } from '../../src/balancer/step.ts';
import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import { makeInterpreter } from '../../src/interpreter/make.ts';
import type { Path } from '../../src/path.ts';
import { startDaemon } from '../support/daemon.ts';
import { REAL } from '../support/naming.ts';
import { makeScope, temporaryFolder } from '../support/process.ts';

const CHANGES = 20;
const ENDPOINTS = 10_000;

const undos: (() => Promise<void> | void)[] = [];
const scope = makeScope({ after: (undo) => void undos.push(undo) });
const folder = await temporaryFolder(scope);

const write = (turn: number): Promise<void> => {
  const from = (turn % 2) * (ENDPOINTS / 2);
  const lines = Array.from({ length: ENDPOINTS }, (_, i) => {
    const n = from + i;
    return `10.1.${n >> 8}.${n & 255} 80\n`;
  });
  return writeFile(join(folder, 'web'), lines.join(''));
};

await write(0);
const names = await startDaemon(
  scope,
  {
    storage: { kind: 'io.l5d.inMemory', namespaces: { default: '/svc => /#/io.l5d.fs' } },
    namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
    interfaces: [{ kind: 'io.l5d.httpController', port: 0 }],
  },
  { command: 'namerd' },
);
const { addr } = await names.logged(({ message }) => message === 'namerd listening');
const interpreter = makeInterpreter(
  {
    kind: 'io.l5d.namerd.http',
    baseUrl: `http://${addr}`,
    namespace: 'default',
    periodSecs: 600,
    watch: true,
    weightedUnions: true,
    maxWatches: 10,
    retry: { baseSeconds: 5, maxSeconds: 600 },
  },
  { rt: 'bench', report: () => undefined },
  REAL,
);
const state = makeState(DEFAULT_POLICY, 0.5);
let told: () => void = () => undefined;
const held = interpreter.resolve('/svc/web' as Path).subscribe((resolution) => {
  step(state, { t: 'resolved', at: performance.now(), resolution });
  if (resolution.t === 'bound') told();
});
const next = (): Promise<void> =>
  new Promise((done) => {
    told = done;
  });
await next();

let last = performance.now();
let longest = 0;
let isOver = false;
const spin = (): void => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
  if (!isOver) setImmediate(spin);
};
spin();
const all: number[] = [];
for (let turn = 1; turn <= CHANGES; turn++) {
  const changed = next();
  longest = 0;
  await write(turn);
  await changed;
  // What is applied is done by the next turn.
  await new Promise((done) => setTimeout(done, 20));
  all.push(longest);
}
isOver = true;
held.unsubscribe();
for (const undo of undos.reverse()) await undo();
const sorted = all.sort((a, b) => a - b);
const [middle = 0, most = 0] = [sorted[CHANGES / 2], sorted.at(-1)];
console.log(
  `longest turn of the event loop per change: median ${middle.toFixed(1)} ms, most ${most.toFixed(1)} ms   goal < 20 ms`,
);
