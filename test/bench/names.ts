/** What names cost: `node dist/test/bench/names.js`. Prints figures beside their goals; nothing is asserted. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { isRight } from 'fp-ts/lib/Either.js';
import { BehaviorSubject, NEVER, type Observable, of, Subject } from 'rxjs';
import { makeAddress } from '../../src/address.ts';
import { makeState } from '../../src/balancer/state.ts';
import { step } from '../../src/balancer/step.ts';
import { DEFAULT_POLICY } from '../../src/config/policy.ts';
import { evaluate } from '../../src/dtab/evaluate.ts';
import { leaf, NEG } from '../../src/dtab/name-tree.ts';
import { parseDtab } from '../../src/dtab/parse.ts';
import { makeDtabInterpreter } from '../../src/interpreter/dtab-interpreter.ts';
import { makeDtabNaming } from '../../src/interpreter/dtab-naming.ts';
import type { Resolution } from '../../src/interpreter/interpreter.ts';
import type { Addr, Binding } from '../../src/interpreter/namers/namer.ts';
import type { Path } from '../../src/path.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/http.ts';
import { REAL } from '../support/naming.ts';
import { makeScope } from '../support/process.ts';
import { openPeer, startNamed } from '../support/tcp.ts';

const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;

const say = (what: string, figure: string, goal: string): void => {
  process.stdout.write(`${what.padEnd(64)} ${figure.padStart(14)}   goal ${goal}\n`);
};

const dtabOf = (text: string) => {
  const parsed = parseDtab(text);
  if (isRight(parsed)) return parsed.right;
  throw new Error(parsed.left.message);
};

/** One name after another through a thousand rules. */
const delegation = (): void => {
  const rules = Array.from({ length: 998 }, (_, i) => `/svc/s${i}=>/host/h${i}|/host/spare`);
  const dtab = dtabOf(`/host=>/#/x;/svc=>/host;${rules.join(';')}`);
  const known = { t: 'ok', tree: leaf({ id: '/#/x' }) } as const;
  const evaluateOne = (i: number): void => {
    evaluate<{ id: string }>(dtab, `/svc/s${i % 998}` as Path, () => known);
  };
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    const begun = performance.now();
    for (let i = 0; i < 1000; i++) evaluateOne(i);
    times.push(performance.now() - begun);
  }
  say('a name by a dtab of 1,000 entries', `${median(times).toFixed(2)} µs`, '< 50 µs');
};

const bound = (ports: readonly number[]): Addr => ({
  t: 'bound',
  endpoints: ports.map((n) => ({
    address: makeAddress(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 80),
    weight: 1,
  })),
});

/** Ten thousand names of which one changes. */
const oneOfMany = async (): Promise<void> => {
  const addrs = Array.from({ length: 10_000 }, (_, i) => new BehaviorSubject(bound([i])));
  const namer = (path: Path): Observable<Binding> => {
    const addr$ = addrs[Number(path.split('/').at(-1))] ?? NEVER;
    return of({ t: 'ok', tree: leaf({ id: path, residual: '/' as Path, addr$ }) });
  };
  const interpreter = makeDtabInterpreter(
    makeDtabNaming(namer, REAL),
    of(dtabOf('/svc=>/#/n')),
    REAL,
  );
  let told = 0;
  const heard$ = new Subject<void>();
  const hold = addrs.map((_, i) =>
    interpreter.resolve(`/svc/${i}` as Path).subscribe(() => {
      told += 1;
      heard$.next();
    }),
  );
  await new Promise((done) => setTimeout(done, 200));
  const before = told;
  const begun = performance.now();
  const heard = new Promise<number>((done) =>
    heard$.subscribe(() => done(performance.now() - begun)),
  );
  addrs[7]?.next(bound([7, 70_000]));
  const ms = await heard;
  await new Promise((done) => setTimeout(done, 200));
  for (const one of hold) one.unsubscribe();
  say('of 10,000 names, one of which changes: computed', `${told - before}`, '1');
  say('… and told after', `${ms.toFixed(2)} ms`, '–');
};

/** A large set from its namer to the balancer. */
const largeSet = async (): Promise<void> => {
  const addr$ = new Subject<Addr>();
  const namer = (path: Path): Observable<Binding> =>
    of<Binding>(
      path === '/#/n'
        ? { t: 'ok', tree: leaf({ id: path, residual: '/' as Path, addr$ }) }
        : { t: 'ok', tree: NEG },
    );
  const interpreter = makeDtabInterpreter(
    makeDtabNaming(namer, REAL),
    of(dtabOf('/svc=>/#/n')),
    REAL,
  );
  const state = makeState(DEFAULT_POLICY, 0.5);
  let applied: () => void = () => undefined;
  let applyMs = 0;
  const held = interpreter.resolve('/svc' as Path).subscribe((resolution: Resolution) => {
    const begun = performance.now();
    step(state, { t: 'resolved', at: begun, resolution });
    applyMs = performance.now() - begun;
    applied();
  });
  const [all, longest]: [number[], number[]] = [[], []];
  for (let i = 0; i < 21; i++) {
    await new Promise((done) => setTimeout(done, 150));
    const set = bound(Array.from({ length: 10_000 }, (_, n) => n + (i % 2) * 5_000));
    const done = new Promise<void>((resolve) => {
      applied = resolve;
    });
    const begun = performance.now();
    addr$.next(set);
    const sync = performance.now() - begun;
    await done;
    all.push(performance.now() - begun);
    longest.push(Math.max(sync, applyMs));
  }
  held.unsubscribe();
  say(
    '10,000 endpoints, half of them new: at the balancer after',
    `${median(all).toFixed(1)} ms`,
    '< 50 ms',
  );
  say('… and the loop is held for', `${median(longest).toFixed(1)} ms`, '< 20 ms');
  say('… at most', `${Math.max(...longest.slice(1)).toFixed(1)} ms`, '< 20 ms');
};

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** A namerd and a router that asks it. */
const live = async (): Promise<void> => {
  const undos: (() => Promise<void> | void)[] = [];
  const scope = makeScope({ after: (undo) => void undos.push(undo) });
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const text = (port: number): string => `/svc/web => /$/inet/127.0.0.1/${port};`;
  const names = await startDaemon(
    scope,
    {
      storage: { kind: 'io.l5d.inMemory', namespaces: { default: text(a) } },
      interfaces: [{ kind: 'io.l5d.httpController', port: 0, maxWatches: 1100 }],
    },
    { command: 'namerd' },
  );
  const { addr = '' } = await names.logged(({ message }) => message === 'namerd listening');
  const interpreter = {
    kind: 'io.l5d.namerd.http',
    baseUrl: `http://${addr}`,
    namespace: 'default',
    periodSecs: 600,
  };
  const router = await startDaemon(scope, {
    routers: [{ label: 'r', interpreter, servers: [{ port: 0, dstName: '/svc/web' }] }],
  });
  const visit = async (): Promise<string> => {
    const peer = await openPeer(router.ports[0] ?? 0);
    const name = await peer.read(1);
    peer.socket.destroy();
    return name;
  };
  await visit();
  const times: number[] = [];
  for (let i = 1; i <= 20; i++) {
    const [port, name] = i % 2 === 0 ? [a, 'A'] : [b, 'B'];
    const begun = performance.now();
    await ask(`http://${addr}/api/1/dtabs/default`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: text(port),
    });
    while ((await visit()) !== name);
    times.push(performance.now() - begun);
  }
  say(
    'a changed dtab of a namerd: new connections follow after',
    `${median(times).toFixed(1)} ms`,
    '< 100 ms',
  );
  say('… at most', `${Math.max(...times).toFixed(1)} ms`, '< 100 ms');
  // What the engine keeps for short-lived objects is not the watches’.
  for (let i = 0; i < 3000; i++)
    await ask(`http://${addr}/api/1/resolve/default?path=/svc/web/${i}`);
  const before = rssOf(names.pid);
  const port = Number(addr.split(':')[1]);
  for (let i = 0; i < 1000; i++) {
    const socket = connect(port, '127.0.0.1');
    undos.push(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(
      `GET /api/1/resolve/default?watch=true&path=/svc/web/${i} HTTP/1.1\r\nhost: x\r\n\r\n`,
    );
    await once(socket, 'readable');
  }
  await eventually('all are served', async () => (await names.get('/ping')).status === 200);
  say('1,000 idle watches of a namerd', `${(rssOf(names.pid) - before).toFixed(1)} MB`, '< 50 MB');
  for (const undo of undos.reverse()) await undo();
};

delegation();
await oneOfMany();
await largeSet();
await live();
