/** The command `simulate`: scenarios of one’s own against a configuration, in virtual time. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { simulate } from '../src/simulate/command.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';

const HERD = 'marbles/scenarios/herd.yaml';

test('the same seed gives the same output, byte by byte, and another one other events', () => {
  const run = (seed: number, format: 'pretty' | 'json' | 'junit') => {
    const done = simulate({ files: [HERD], seed, format });
    assert.equal(done.t, 'done');
    return done.t === 'done' ? done.out : '';
  };
  for (const format of ['pretty', 'json', 'junit'] as const)
    assert.equal(run(7, format), run(7, format));
  assert.notEqual(run(7, 'json'), run(8, 'json'));
});

const CONFIG = `
routers:
- label: r
  interpreter: {kind: static, names: {}}
  servers: [{port: 1, dstName: /svc/a, connectTimeoutMs: 100}]
`;

const SCENARIO = `
title: one
config: c.yaml
duration: 1s
endpoints: {a1: "10.0.0.1:1", a2: {address: "10.0.0.2:1", health: u 500ms r}}
names: {/svc/a: [a1, a2]}
arrivals: [{rate: 100/s, lasts: 10ms}]
expect:
`;

const write = async (scope: Scope, expect: string, more: Readonly<Record<string, string>> = {}) => {
  const folder = await temporaryFolder(scope);
  for (const [name, text] of Object.entries({ 'c.yaml': CONFIG, ...more }))
    await writeIn(folder, name, text);
  return writeIn(folder, 's.yaml', SCENARIO + expect);
};

test('the first violation is drawn with its marbles, and the others are told', async (t) => {
  const file = await write(
    makeScope(t),
    '- connections(a2) == 0\n- success == 100%\n- never * -> a1',
  );
  const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
  assert.ok(done.t === 'done' && !done.isHeld);
  const lines = done.out.split('\n');
  assert.match(lines[2] ?? '', /^ {2}VIOLATED {2}connections\(a2\) == 0 {3}\(\d+ of 100, \d+%\)$/);
  const rows = ['arrived', 'dispatched', 'refused', 'a1', 'a2'];
  for (const row of rows)
    assert.ok(
      lines.some((line) => line.trim().startsWith(`${row} `)),
      row,
    );
  assert.ok(lines.some((line) => /^ +\^ \d+ms$/.test(line)));
  assert.equal(lines.filter((line) => line.startsWith('  VIOLATED')).length, 2);
  assert.equal(lines.filter((line) => line.startsWith('  held')).length, 1);
});

test('results for programs and for test reports', async (t) => {
  const file = await write(makeScope(t), '- success == 100%\n- most open <= 0');
  const json = simulate({ files: [file], seed: 3, format: 'json' });
  assert.ok(json.t === 'done');
  const [told] = JSON.parse(json.out);
  assert.deepEqual(
    [
      told.title,
      told.seed,
      told.held,
      told.connections,
      told.expectations.map(({ held }: { held: boolean }) => held),
    ],
    ['one', 3, false, 100, [true, false]],
  );
  const junit = simulate({ files: [file], seed: 3, format: 'junit' });
  assert.ok(junit.t === 'done');
  assert.match(junit.out, /<testsuite name="one" file=".*s\.yaml" tests="2" failures="1">/);
  assert.match(junit.out, /<testcase name="most open &lt;= 0">\n {6}<failure message="\d">/);
});

const HELD: readonly string[] = [
  'success == 100%',
  'success >= 99.9% from 100ms until 900ms',
  'refused == 0',
  'refused(no-endpoints) == 0',
  'ended(end) == 100%',
  'connections(a1) >= 50%',
  'connections(/svc) == 100',
  'connections(10.0.0.9:1) == 0',
  'lookups(/svc/a) == 1',
  'most waiting <= 2',
  'connect p99 <= 5ms',
  'connect p50 < 3ms',
  'no endpoint > 100% of connections for 300ms',
  'failed(a2) within 500ms',
  'never *.example.com -> /svc/a',
  'never 10.0.0.0/8 -> a1',
  '{row: 500ms -----, of: restored}',
];

test('every kind of sentence can hold', async (t) => {
  const file = await write(
    makeScope(t),
    HELD.map((text) => `- ${text.startsWith('{') ? text : `"${text}"`}`).join('\n'),
  );
  const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
  assert.ok(
    done.t === 'done' && done.isHeld,
    done.t === 'done' ? done.out : done.errors.join('\n'),
  );
});

/** A configuration with an operator, and what simulating it says. */
const operated = async (scope: Scope, operator: string, format: 'pretty' | 'junit', more = '') => {
  const plugin = `export default ({ rxjs, codecs, kind }) => ({ api: 1, operators: {
    'com.example.odd': kind(codecs.object('x', {}), ${operator}) } });`;
  const config = CONFIG.replace('servers:', 'operators: [{kind: com.example.odd}]\n  servers:');
  const file = await write(scope, '- refused == 0\n- success >= 0%', {
    'p.mjs': plugin,
    'c.yaml': `plugins: [./p.mjs]\n${config.replace(', connectTimeoutMs: 100', more)}`,
  });
  const done = simulate({ files: [file], seed: undefined, format });
  assert.ok(done.t === 'done');
  return done;
};

const KEEPERS: Readonly<Record<string, readonly [operator: string, more: string]>> = {
  'waits for a promise': [
    '() => rxjs.mergeMap((envelope) => Promise.resolve(envelope))',
    ', connectTimeoutMs: 100',
  ],
  'waits for a promise past the end of virtual time': [
    '() => rxjs.mergeMap((envelope) => Promise.resolve(envelope))',
    ', connectTimeoutMs: 6000000',
  ],
  'waits for real time': ['() => rxjs.delay(1)', ''],
  'drops what it gets': ['() => rxjs.filter(() => false)', ''],
};

for (const [what, [operator, more]] of Object.entries(KEEPERS))
  test(`an operator that ${what} is named`, async (t) => {
    const { out, isHeld } = await operated(makeScope(t), operator, 'pretty', more);
    assert.ok(!isHeld);
    assert.match(
      out,
      /VIOLATED .* \(com\.example\.odd routers\[0\]\.operators\[0\] kept 100 until their time was up: it drops them, or it waits for a promise or real time\)/,
    );
  });

test('what operators do that they should not is told, once', async (t) => {
  const scope = makeScope(t);
  const broken = '() => rxjs.map(() => { throw new Error("<oh>"); })';
  const pretty = await operated(scope, broken, 'pretty');
  const line = 'com.example.odd routers[0].operators[0] broke: <oh>';
  assert.match(pretty.out, /^ {2}error: com\.example\.odd .* broke: <oh> \(4 times\)$/m);
  assert.equal(pretty.out.split(line).length, 2);
  const junit = await operated(makeScope(t), broken, 'junit');
  assert.match(junit.out, /<system-err>com\.example\.odd .* broke: &lt;oh&gt; \(4 times\)</);
  const twice = '() => rxjs.mergeMap((envelope) => [envelope, envelope])';
  const { out, isHeld } = await operated(makeScope(t), twice, 'pretty');
  assert.ok(isHeld);
  assert.match(out, /error: .* gave an id twice, or one that it did not have \(100 times\)/);
});

test('a configuration with certificates, namers and plugins needs none of their files', async (t) => {
  const config = `
plugins: [./p.mjs]
namers: [{kind: io.l5d.k8s, kubeconfig: nosuch}, {kind: io.l5d.fs, rootDir: nosuch}]
routers:
- label: r
  dtab: /svc => /#/io.l5d.fs
  operators: [{kind: com.example.gate, open: true}]
  servers: [{port: 1, dstName: /svc/a, tls: {defaultIdentity: {certs: [no.pem], privateKey: no.key}}}]
`;
  const file = await write(makeScope(t), '- success == 100%', { 'c.yaml': config, 'p.mjs': WHOLE });
  const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
  assert.ok(
    done.t === 'done' && done.isHeld,
    done.t === 'done' ? done.out : done.errors.join('\n'),
  );
});

test('what is wrong with a scenario is told with its place', async (t) => {
  const scope = makeScope(t);
  const errors = async (expect: string) => {
    const file = await write(scope, expect);
    const done = simulate({ files: [file], seed: undefined, format: 'pretty' });
    return done.t === 'bad' ? done.errors.map((line) => line.slice(line.indexOf('s.yaml:'))) : [];
  };
  assert.deepEqual(await errors('- failed(a3) within 3s'), [
    's.yaml:9:3 expect[0]: expected an endpoint, one of a1, a2, got "a3", did you mean "a1"?',
  ]);
  assert.deepEqual(await errors('- {row: "a-(b", of: dialed}'), [
    's.yaml:9:14 expect[0].row: expected ) at the end',
  ]);
  assert.deepEqual(await errors('- refused(tmeout) == 0\n- connect p99 <= soon'), [
    's.yaml:9:3 expect[0]: expected a close reason, got tmeout',
    's.yaml:10:3 expect[1]: expected a duration such as 250ms, 5s, 1.5m or 2h',
  ]);
  assert.deepEqual(
    await errors('- {row: a, of: refused, values: {a: operater}}\n- connections(/svc/b) == 0'),
    [
      's.yaml:9:37 expect[0].values.a: expected a close reason, got "operater", did you mean "operator"?',
      's.yaml:10:3 expect[1]: expected a name, or how some begin, of /svc/a, got "/svc/b", did you mean "/svc/a"?',
    ],
  );
  assert.deepEqual(
    await errors('- never * -> /svc/ab\n- {row: a, of: dialed, name: /svc/c}\n- success > 101%'),
    [
      's.yaml:9:3 expect[0]: expected a name, or how some begin, of /svc/a, got "/svc/ab", did you mean "/svc/a"?',
      's.yaml:10:30 expect[1].name: expected a name, or how some begin, of /svc/a, got "/svc/c", did you mean "/svc/a"?',
      's.yaml:11:3 expect[2]: expected a share up to 100%, got 101%',
    ],
  );
  assert.deepEqual(await errors('- success == 100% from 2s until 1s'), [
    's.yaml:9:3 expect[0]: expected from before until',
  ]);
  assert.deepEqual(await errors(' []'), [
    's.yaml:9:2 expect: expected something, got an empty list',
  ]);
  const [unknown = ''] = await errors('- sucess == 1');
  assert.match(unknown, /^s\.yaml:9:3 expect\[0\]: expected one of: success >= 99\.9%; /);
});

test('what can never happen in a scenario is told', async (t) => {
  const scope = makeScope(t);
  const errors = async (from: string, to: string) => {
    const file = await write(scope, '- success == 100%');
    const text = SCENARIO.replace(from, to);
    const done = simulate({
      files: [await writeIn(dirname(file), 's.yaml', `${text}- refused == 0`)],
      seed: undefined,
      format: 'pretty',
    });
    return done.t === 'bad' ? done.errors.map((line) => line.slice(line.indexOf('s.yaml:'))) : [];
  };
  const arrivals = '{rate: 100/s, lasts: 10ms}';
  assert.deepEqual(await errors(arrivals, '{count: 1, from: 1s}'), [
    's.yaml:7:29 arrivals[0].from: expected a time before 1s, got 1s',
  ]);
  assert.deepEqual(await errors(arrivals, '{rate: 1/s, from: 500ms, until: 400ms}'), [
    's.yaml:7:30 arrivals[0].from: expected a time before 400ms, got 500ms',
  ]);
  assert.deepEqual(await errors(arrivals, '{count: 1, sni: a b}'), [
    's.yaml:7:28 arrivals[0].sni: expected a host name such as db.example.com, got "a b"',
  ]);
  assert.deepEqual(await errors('expect:', 'commands: [{at: 2s, do: drain}]\nexpect:'), [
    's.yaml:8:17 commands[0].at: expected a time up to the end, 1s, got 2s',
  ]);
  assert.deepEqual(await errors('[a1, a2]', '[a1, a3]'), [
    's.yaml:6:17 names["/svc/a"]: expected an endpoint such as a1, with a weight if wanted, got "a3", did you mean "a1"?',
  ]);
});

test('what is wrong with the configuration of the command line is told once, as it is elsewhere', async (t) => {
  const file = await write(makeScope(t), '- success == 100%');
  const folder = dirname(file);
  const bad = await writeIn(folder, 'bad.yaml', 'routers: [{label: 1}]');
  const good = join(folder, 'c.yaml');
  const errors = (...files: readonly string[]) => {
    const done = simulate({ files, seed: undefined, format: 'pretty' });
    return done.t === 'bad' ? done.errors.map((line) => line.replaceAll(`${folder}/`, '')) : [];
  };
  assert.deepEqual(errors(bad, file, file), [
    'bad.yaml:1:11 routers[0].servers: expected a list, got nothing',
    'bad.yaml:1:19 routers[0].label: expected a text, got 1',
  ]);
  assert.deepEqual(errors(good), [
    'c.yaml: expected a scenario behind the configuration, got none',
  ]);
  assert.deepEqual(errors(file, good), [
    'c.yaml: expected a scenario, got a configuration; one may come first',
  ]);
});
