/** Plugins: how they are found, what is wrong with those that cannot be used, and how their options are checked. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { readConfig } from '../src/config/read.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';

const CONFIG = (router: string, plugins = '[./p.js]') => `plugins: ${plugins}
routers:
- label: r
  servers: [{port: 1, dstName: /svc/web}]
  ${router}
`;

/** Lines of what is wrong with a file whose plugin this is, without the folder. */
const errorsOf = async (
  scope: Scope,
  plugin: string,
  router = 'dtab: ""',
  plugins?: string,
): Promise<readonly string[]> => {
  const folder = await temporaryFolder(scope);
  await writeIn(folder, 'package.json', '{"type": "module"}');
  await writeIn(folder, 'p.js', plugin);
  await writeIn(folder, 'q.js', plugin);
  const loaded = readConfig(await writeIn(folder, 'c.yaml', CONFIG(router, plugins)));
  return isLeft(loaded) ? loaded.left.map((line) => line.replaceAll(`${folder}/`, '')) : [];
};

const EMPTY = 'export default { api: 1, operators: {} };';

const BROKEN: Readonly<Record<string, readonly [plugin: string, line: string]>> = {
  'a text that is no program': [
    'export default {',
    'cannot load the plugin p.js: Unexpected end of input',
  ],
  'a module that throws when it is loaded': [
    '\nthrow new Error("no licence");',
    'cannot load the plugin p.js:2: no licence',
  ],
  'a module that waits when it is loaded': [
    'await 1; export default 1;',
    'cannot load the plugin p.js: expected a module that does not await at its top level',
  ],
  'a module that lacks another': [
    'import "nosuch";',
    "cannot load the plugin p.js: Cannot find package 'nosuch' imported from p.js",
  ],
  'a function that throws': [
    'export default () => {\n  throw new Error("oh") };',
    'cannot load the plugin p.js:2: it threw: oh',
  ],
  'a module without a default export': [
    'export const operators = {};',
    'the plugin p.js: expected api: 1, got undefined',
  ],
  'an empty module': [
    '',
    'the plugin p.js: expected a default export with api: 1 and operators, namers, …, got nothing',
  ],
  'a default export that is nothing': [
    'export default undefined;',
    'the plugin p.js: expected a default export with api: 1 and operators, namers, …, got none',
  ],
  'a function that promises a plugin': [
    'export default async () => ({ api: 1, operators: {} });',
    'the plugin p.js: expected a default export with api: 1 and operators, namers, …, got a promise',
  ],
  'one that throws when it is looked at': [
    'export default { api: 1,\n  get operators() { throw new Error("oh"); } };',
    'cannot load the plugin p.js:2: it threw: oh',
  ],
  'a newer one': [
    'export default { api: 2, sidecars: {} };',
    'the plugin p.js: it asks for interface 2, and this is 1; use a newer linkerd-tcp',
  ],
  'one that gives nothing': [EMPTY, 'the plugin p.js: expected at least one kind, got none'],
  'one that gives what nobody knows': [
    'export default { api: 1, operator: {} };',
    'the plugin p.js: expected operators, namers, interpreters, identifiers, loadBalancers, got operator',
  ],
  'one whose kinds are none': [
    'export default { api: 1, operators: { "com.example.a": { make: 1 } } };',
    'the plugin p.js: operators: com.example.a: expected a codec of io-ts as options, and a function make',
  ],
};

const TAKEN: readonly (readonly [section: string, kind: string])[] = [
  ['operators', 'io.l5d.canary'],
  ['namers', 'io.l5d.fs'],
  ['interpreters', 'static'],
  ['loadBalancers', 'p2c'],
];

for (const [section, kind] of TAKEN)
  test(`a plugin cannot take the place of ${kind}`, async (t) => {
    const plugin = `export default ({ kind, t }) => ({ api: 1, ${section}: { '${kind}': kind(t.type({}), () => 1) } });`;
    assert.deepEqual(await errorsOf(makeScope(t), plugin), [
      `c.yaml:1:11 plugins[0]: the plugin p.js: ${section}: ${kind} comes along; expected another name`,
    ]);
  });

test('a codec that throws is told with its options', async (t) => {
  const plugin = `export default { api: 1, operators: { 'com.example.odd': {
    options: { validate() { throw new Error('oh'); } }, make() {} } } };`;
  assert.deepEqual(await errorsOf(makeScope(t), plugin, 'operators: [{kind: com.example.odd}]'), [
    'c.yaml:5:15 routers[0].operators[0]: expected options that the plugin’s codec reads (it threw: oh), got an object',
  ]);
});

for (const [what, [plugin, line]] of Object.entries(BROKEN))
  test(`one clear line about ${what}`, async (t) => {
    assert.deepEqual(await errorsOf(makeScope(t), plugin), [`c.yaml:1:11 plugins[0]: ${line}`]);
  });

test('one that is not there, and two with the same kind', async (t) => {
  const scope = makeScope(t);
  const [line = ''] = await errorsOf(scope, EMPTY, undefined, '[./nosuch.js]');
  assert.match(
    line,
    /^c\.yaml:1:11 plugins\[0\]: cannot find the plugin \.\/nosuch\.js: Cannot find module/,
  );
  const [twice = ''] = await errorsOf(scope, WHOLE, undefined, '[./p.js, ./q.js]');
  assert.equal(
    twice,
    'c.yaml:1:19 plugins[1]: the plugin q.js: operators: com.example.gate is also in p.js',
  );
});

const WRONG: Readonly<Record<string, readonly string[]>> = {
  'operators: [{kind: com.example.gate, opn: true}]': [
    'c.yaml:5:15 routers[0].operators[0].open: expected true or false, got nothing',
    'c.yaml:5:40 routers[0].operators[0].opn: unknown key, did you mean "open"?',
  ],
  'operators: [{kind: com.example.gte}]': [
    'c.yaml:5:22 routers[0].operators[0].kind: expected one of io.l5d.rateLimit, io.l5d.concurrencyLimit, io.l5d.sourceFilter, io.l5d.canary, io.l5d.fault, com.example.gate, got "com.example.gte", did you mean "com.example.gate"?',
  ],
  'operators: [{open: true}]': [
    'c.yaml:5:15 routers[0].operators[0].kind: expected one of io.l5d.rateLimit, io.l5d.concurrencyLimit, io.l5d.sourceFilter, io.l5d.canary, io.l5d.fault, com.example.gate, got nothing',
  ],
  'operators: [{kind: io.l5d.rateLimit, perSecond: 0, shadow: 1}]': [
    'c.yaml:5:51 routers[0].operators[0].perSecond: expected a number from 0.001 to 1000000, got 0',
    'c.yaml:5:62 routers[0].operators[0].shadow: expected true or false, got 1',
  ],
  'client: {kind: io.l5d.global, loadBalancer: {kind: com.example.turns, stp: 1, load: none}}': [
    'c.yaml:5:73 routers[0].client.loadBalancer.stp: unknown key, did you mean "step"?',
    'c.yaml:5:87 routers[0].client.loadBalancer.load: expected one of connections, throughput, latency, got "none"',
  ],
  'client: {kind: io.l5d.static, configs: [{prefix: /, loadBalancer: {kind: p3c}}]}': [
    'c.yaml:5:76 routers[0].client.configs[0].loadBalancer.kind: expected one of p2c, com.example.turns, got "p3c", did you mean "p2c"?',
  ],
  'interpreter: {kind: com.example.fixed, port: 0}': [
    'c.yaml:5:48 routers[0].interpreter.port: expected a port 1-65535, got 0',
  ],
};

for (const [router, lines] of Object.entries(WRONG))
  test(`options are checked like all others: ${router}`, async (t) => {
    assert.deepEqual(await errorsOf(makeScope(t), WHOLE, router), lines);
  });

test('a package, and a codec that is plain io-ts', async (t) => {
  const folder = await temporaryFolder(makeScope(t));
  await writeIn(folder, 'node_modules/gates/package.json', '{"name": "gates", "main": "main.cjs"}');
  await writeIn(
    folder,
    'node_modules/gates/main.cjs',
    `module.exports = ({ t, kind, rxjs }) => ({ api: 1, operators: {
      'com.example.plain': kind(t.type({ most: t.number }), () => rxjs.identity) } });`,
  );
  const load = async (router: string) =>
    readConfig(await writeIn(folder, 'c.yaml', CONFIG(router, '[gates]')));
  const good = await load('operators: [{kind: com.example.plain, most: 3}]');
  assert.ok(isRight(good));
  assert.deepEqual(good.right.config.routers[0]?.operators, [
    {
      kind: 'custom',
      by: 'com.example.plain',
      module: join(folder, 'node_modules/gates/main.cjs'),
      options: { most: 3 },
      isShadow: false,
      place: 'routers[0].operators[0]',
    },
  ]);
  const bad = await load('operators: [{kind: com.example.plain, most: x}]');
  assert.ok(isLeft(bad));
  assert.deepEqual(
    bad.left.map((line) => line.replace(`${folder}/`, '')),
    ['c.yaml:5:47 routers[0].operators[0].most: expected number, got "x"'],
  );
});
