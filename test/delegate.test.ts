/** How names are explained: by the command, by the admin server, of all kinds of interpreters. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRight, left } from 'fp-ts/lib/Either.js';
import { firstValueFrom, of } from 'rxjs';
import type { InterpreterConfig } from '../src/config/config.ts';
import { delegationText, isBound } from '../src/delegation-text.ts';
import type { Known } from '../src/dtab/evaluate.ts';
import { explain } from '../src/dtab/explain.ts';
import { parseDtab } from '../src/dtab/parse.ts';
import { explainName } from '../src/interpreter/explain.ts';
import type { Bound } from '../src/interpreter/namers/namer.ts';
import { delegationJson } from '../src/interpreter/names-json.ts';
import type { Received, Transport } from '../src/interpreter/transport.ts';
import type { Path } from '../src/path.ts';
import { runCommand, startDaemon } from './support/daemon.ts';
import { REAL } from './support/naming.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';

const DTAB = `/host => /#/io.l5d.fs;
/svc => /host;
/svc/web => 9 * /host/web & 1 * /host/none;
/svc/old => /host/none | /$/inet/127.0.0.1/80 | /$/inet/127.0.0.1/81;
/svc/off => ! | /host/web;
/svc/odd => /$/odd;`;

const writeConfig = async (scope: Scope): Promise<{ folder: string; config: object }> => {
  const folder = await temporaryFolder(scope);
  await writeFile(join(folder, 'web'), '10.0.0.1 80\n10.0.0.2 80 * 0.5\n');
  const namers = [{ kind: 'io.l5d.fs', rootDir: folder }];
  const servers = [{ port: 0, dstName: '/svc/web' }];
  const config = { admin: { port: 0 }, namers, routers: [{ label: 'r', dtab: DTAB, servers }] };
  await writeFile(join(folder, 'c.yaml'), JSON.stringify(config));
  return { folder, config };
};

test('the command tells each step, what counts of it, and by its exit code whether there is something', async (t) => {
  const { folder } = await writeConfig(makeScope(t));
  const tell = (name: string) => runCommand(['delegate', join(folder, 'c.yaml'), 'r', name]);
  assert.deepEqual(await tell('/svc/web'), {
    code: 0,
    out: `/svc/web: the first that exists counts
  /svc/web: divided by weight   [/svc/web => 9.00*/host/web & /host/none]
    9 * /host/web
      /#/io.l5d.fs/web: 10.0.0.1:80, 10.0.0.2:80 * 0.5   [/host => /#/io.l5d.fs]
    1 * /host/none
      /#/io.l5d.fs/none: does not exist   [/host => /#/io.l5d.fs]
  (not reached) /host/web   [/svc => /host]
    /#/io.l5d.fs/web: 10.0.0.1:80, 10.0.0.2:80 * 0.5   [/host => /#/io.l5d.fs]
`,
  });
  assert.deepEqual(await tell('/svc/none'), {
    code: 1,
    out: `/svc/none
  /host/none   [/svc => /host]
    /#/io.l5d.fs/none: does not exist   [/host => /#/io.l5d.fs]
`,
  });
  const old = await tell('/svc/old');
  assert.match(old.out, /^ {4}\/\$\/inet\/127\.0\.0\.1\/80: 127\.0\.0\.1:80$/m);
  assert.match(old.out, /^ {4}\(not reached\) \/\$\/inet\/127\.0\.0\.1\/81: 127\.0\.0\.1:81$/m);
  assert.deepEqual(
    [old.code, (await tell('/svc/off')).code, (await tell('/svc/odd')).code],
    [0, 1, 1],
  );
});

test('what is asked wrongly is one line', async (t) => {
  const { folder } = await writeConfig(makeScope(t));
  const config = join(folder, 'c.yaml');
  const wrong: readonly (readonly [args: readonly string[], code: number, out: string])[] = [
    [['nosuch', '/svc'], 1, 'linkerd-tcp: expected a router, one of r, got "nosuch"\n'],
    [['r', 'svc'], 1, 'linkerd-tcp: expected a name such as /svc/web, got "svc"\n'],
    [['r'], 64, 'linkerd-tcp: expected delegate CONFIG ROUTER NAME; see linkerd-tcp --help\n'],
  ];
  for (const [args, code, out] of wrong)
    assert.deepEqual(await runCommand(['delegate', config, ...args]), { code, out });
});

test('the admin server tells the same as JSON, of a namerd what that says, with workers too', async (t) => {
  const scope = makeScope(t);
  const { config } = await writeConfig(scope);
  const wanted = {
    type: 'delegate',
    path: '/svc/none',
    delegate: {
      type: 'delegate',
      path: '/host/none',
      dentry: { prefix: '/svc', dst: '/host' },
      delegate: {
        type: 'neg',
        path: '/#/io.l5d.fs/none',
        dentry: { prefix: '/host', dst: '/#/io.l5d.fs' },
      },
    },
  };
  const log = { format: 'json' };
  const names = await startDaemon(
    scope,
    {
      storage: { kind: 'io.l5d.inMemory', namespaces: { d: DTAB } },
      namers: (config as { namers: object[] }).namers,
      interfaces: [{ kind: 'io.l5d.httpController', port: 0 }],
    },
    { command: 'namerd' },
  );
  const { addr } = await names.logged(({ message }) => message === 'namerd listening');
  const interpreter = {
    kind: 'io.l5d.namerd.http',
    baseUrl: `http://${addr}`,
    namespace: 'd',
    periodSecs: 60,
  };
  const remote = { label: 'r', interpreter, servers: [{ port: 0, dstName: '/svc/web' }] };
  const fixed = {
    ...remote,
    interpreter: { kind: 'static', names: { '/svc/web': ['10.0.0.1:80'] } },
  };
  for (const more of [{}, { workers: 1 }, { routers: [remote] }]) {
    const daemon = await startDaemon(scope, { ...config, log, ...more });
    const { status, body } = await daemon.get('/delegator.json?router=r&path=/svc/none');
    assert.deepEqual([status, JSON.parse(body)], [200, wanted]);
  }
  const daemon = await startDaemon(scope, { routers: [fixed] });
  const web = JSON.parse((await daemon.get('/delegator.json?router=r&path=/svc/web')).body);
  assert.deepEqual([web.type, web.bound.addr.addrs.length], ['leaf', 1]);
  assert.equal(
    JSON.parse((await daemon.get('/delegator.json?router=r&path=/svc')).body).type,
    'neg',
  );
  assert.equal((await daemon.get('/delegator.json?router=x&path=/svc')).status, 400);
});

test('a circle of rules is told as one, not a hundred times', () => {
  const dtab = parseDtab(
    '/svc => /a; /a => /b; /b => /a | ~; /deep => ~ | (~ & (~ | (~ & (~ | ~))))',
  );
  assert.ok(isRight(dtab));
  const told = (name: string): string => {
    const ask = (): Known<Bound> => ({ t: 'ok', tree: { t: 'neg' } });
    const step = explain<Bound>(dtab.right, name as Path, ask);
    return delegationText(delegationJson(step, () => ({ t: 'neg' })));
  };
  const lines = told('/svc').split('\n');
  assert.ok(lines.length < 40, `${lines.length} lines`);
  assert.ok(lines.some((line) => /^ +\/[ab]: and so on, round in a circle of rules/.test(line)));
  assert.doesNotMatch(told('/deep'), /circle/);
});

test('whatever a namerd answers is shown, and nothing in it is taken for granted', () => {
  for (const odd of [
    {},
    { type: 7 },
    { type: 'alt', alt: 5 },
    { type: 'leaf' },
    { type: 'union', union: [1, {}] },
  ]) {
    assert.equal(typeof delegationText(odd), 'string');
    assert.equal(typeof isBound(odd), 'boolean');
  }
  const addrs = Array.from({ length: 12 }, (_, i) => ({ ip: '10.0.0.1', port: i + 1, meta: {} }));
  const leaf = { type: 'leaf', path: '/#/x', bound: { addr: { type: 'bound', addrs } } };
  assert.match(delegationText(leaf), /10\.0\.0\.1:10 and 2 more$/);
});

test('an answer of a namerd with levels without end is told as that', async () => {
  const config: InterpreterConfig = {
    kind: 'io.l5d.namerd.http',
    baseUrl: 'http://127.0.0.1:1',
    namespace: 'd',
    periodSecs: 60,
    watch: true,
    weightedUnions: true,
    maxWatches: 1,
    retry: { baseSeconds: 5, maxSeconds: 600 },
  };
  const told = (levels: number) => {
    const text = `${'{"type":"delegate","delegate":'.repeat(levels)}{}${'}'.repeat(levels)}`;
    const http: Transport = () =>
      of<Received[]>({ t: 'head', status: 200 }, { t: 'chunk', bytes: Buffer.from(text) });
    return firstValueFrom(explainName(config, { path: '/svc' as Path, http }, REAL));
  };
  assert.deepEqual(await told(50_000), left('namerd: expected at most 1000 levels, got more'));
  assert.ok(isRight(await told(900)));
});
