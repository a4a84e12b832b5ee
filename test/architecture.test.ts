/** What the sources may import and say: the house rules that no type can hold. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { findLines, readSources, type Source } from './support/sources.ts';

const SRC = readSources('src');
const ALL = [...SRC, ...readSources('test'), ...readSources('marbles')];

/** Files in pure places that are not pure, and why. */
const IMPURE: Readonly<Record<string, string>> = {
  'src/balancer/balance.ts': 'the operator around the pure step',
  'src/config/changes.ts': 'looks at files again and again',
  'src/config/files.ts': 'reads the files that a config names',
  'src/config/plugins.ts': 'loads the modules that a config names',
  'src/config/read.ts': 'reads the config file',
};

/** Pure are these files, and whole folders named here but for `IMPURE`. */
const PURE =
  /^src\/(?:path|address|ip|dns-name|heap|hash|buckets|table|bag|listen-error|close-reason|source|introduction|envelope|event|view|(?:balancer|client-hello|config|dtab|proxy-protocol)\/.*)\.ts$/;

/** The only files that may read the clock, set timers of the platform or draw chance. */
const WORLD = new Set(['src/world.ts', 'src/main.ts']);
const WORLDLY =
  /\b(?:Date\.now|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|new Date\b|process\.hrtime)/;

/** Files that subscribe, and why no operator can do it for them. */
const SUBSCRIBERS: Readonly<Record<string, string>> = {
  'src/operators/chain.ts': 'operators come and go with the configuration',
  'src/operators/stage.ts': 'an operator is watched, and begun anew',
  'src/serialize.ts': 'a custom operator has to subscribe to its source',
  'src/main.ts': 'the one top-level subscribe',
  'src/replay/rerun.ts': 'a run in virtual time has no one to subscribe for it',
  'src/interpreter/guarded.ts':
    'each name has two: a chain of operators would cost five times as much memory',
  'src/interpreter/shared.ts': 'as src/interpreter/guarded.ts',
  'src/interpreter/reckon.ts': 'what is computed finds out what it needs while it computes',
  'src/simulate/run.ts': 'a simulation is run to its end, and then asked',
  'src/testing/routing.ts': 'a test runs routers beside what it expects of them',
  'src/testing/virtual-servers.ts': 'as src/server/serve.ts',
  'src/namerd/interfaces.ts': 'listeners begin before a reload is decided',
  'src/server/serve.ts': 'a listener and its configs become one Observable',
  'src/workers/fleet.ts': 'workers begin before the first config does, and end after the last',
};

/** Zones along the flow; the first pattern that matches a file names its zone. */
const ZONES: readonly (readonly [zone: string, files: RegExp])[] = [
  ['main', /^src\/(?:main|collector|cli|schema-command|ask|route-text|delegation-text)\.ts$/],
  ['world', /^src\/world\.ts$/],
  ['index', /^src\/index\.ts$/],
  [
    'app',
    /^src\/(?:app|lifecycle|listeners|daemon|embed|namerd-daemon|explain-for|engine|machine|reloads|admin-door|connection-log|explain-route|why-not|handlers)\.ts$/,
  ],
  [
    'base',
    /^src\/(?:path|address|ip|dns-name|heap|listen-error|close-reason|source|envelope|event|view|env|log|timers)\.ts$/,
  ],
  [
    'base',
    /^src\/(?:listen-error|log-writer|serialize|keyed|hash|buckets|table|bag|server\/descriptors)\.ts$/,
  ],
  ['$1', /^src\/([\w-]+)\//],
  ['router', /^src\//],
];

/** What a zone may import beside itself and `base`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  config: ['dtab', 'plugins'],
  dtab: [],
  interpreter: ['config', 'dtab', 'plugins'],
  // What operators share with a server’s lists of addresses.
  operators: ['config', 'server'],
  plugins: ['balancer', 'config', 'dtab', 'interpreter', 'operators'],
  namerd: ['config', 'dtab', 'interpreter'],
  socket: [],
  'client-hello': [],
  'proxy-protocol': [],
  server: ['config', 'duplex', 'socket', 'client-hello', 'proxy-protocol'],
  connector: ['config', 'socket'],
  duplex: ['config', 'socket'],
  balancer: ['config', 'interpreter'],
  recorder: ['config', 'balancer'],
  replay: [
    'config',
    'interpreter',
    'balancer',
    'recorder',
    'plugins',
    'testing',
    'simulate',
    'workers',
  ],
  admin: ['config'],
  router: [
    'config',
    'interpreter',
    'server',
    'connector',
    'duplex',
    'balancer',
    'socket',
    'proxy-protocol',
    'operators',
    'recorder',
  ],
  testing: [
    'config',
    'interpreter',
    'server',
    'duplex',
    'balancer',
    'router',
    'app',
    'operators',
    'plugins',
    'recorder',
  ],
  simulate: ['config', 'interpreter', 'server', 'balancer', 'testing'],
  app: [
    'config',
    'dtab',
    'interpreter',
    'server',
    'connector',
    'duplex',
    'balancer',
    'router',
    'socket',
    'admin',
    'namerd',
    'operators',
    'plugins',
    'recorder',
    'world',
  ],
  workers: ['config', 'interpreter', 'server', 'router', 'admin', 'app', 'world'],
  world: ['config'],
  main: ['config', 'interpreter', 'app', 'world', 'workers', 'simulate', 'replay', 'plugins'],
  index: [
    'config',
    'dtab',
    'interpreter',
    'server',
    'connector',
    'duplex',
    'balancer',
    'router',
    'app',
    'operators',
    'plugins',
  ],
};

const PACKAGES: Readonly<Record<string, RegExp>> = {
  rxjs: /^src\//,
  'rxjs/testing': /^src\/testing\//,
  'dns-packet': /^src\/interpreter\/dns\//,
  yaml: /^src\/config\//,
  'io-ts': /^src\//,
  'prom-client': /^src\/admin\//,
};

const zoneOf = (path: string): string => {
  for (const [zone, files] of ZONES) {
    const match = files.exec(path);
    if (match !== null) return zone === '$1' ? (match[1] ?? '') : zone;
  }
  return 'outside';
};

/** Fails with one line for each offence. */
const none = (offences: readonly string[], rule: string): void => {
  if (offences.length > 0) assert.fail([rule, ...offences].join('\n'));
};

const lines = (sources: readonly Source[], wanted: RegExp): readonly string[] =>
  sources.flatMap(({ path, text }) => findLines(path, text, wanted));

const codeLines = (sources: readonly Source[], wanted: RegExp): readonly string[] =>
  sources.flatMap(({ path, code }) => findLines(path, code, wanted));

const exists = (path: string): boolean => SRC.some((source) => source.path === path);

test('pure modules import neither node nor rxjs', () => {
  const pure = SRC.filter(({ path }) => PURE.test(path) && IMPURE[path] === undefined);
  assert.ok(pure.length > 10);
  none(
    pure.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => /^(?:node:|rxjs)/.test(target))
        .map(({ target }) => `${path} imports ${target}`),
    ),
    'pure modules must not touch the world',
  );
});

/** The only file that may look below what Node shows. */
const INTERNAL = /^src\/socket\/native(?:-tls)?\.ts$/;

test('what Node does not show is used in two files', () => {
  const internals = /'(?:binding|_handle|_parent)'|\._(?:handle|parent)\b|\.binding\(|bindingOf\(/;
  const [native, rest] = [true, false].map((is) =>
    SRC.filter(({ path }) => INTERNAL.test(path) === is),
  );
  assert.equal(native?.length, 2);
  none(codeLines(rest ?? [], internals), `keep internals in ${INTERNAL}`);
});

test('time, timers and chance come from the world only', () => {
  const rest = SRC.filter(({ path }) => !WORLD.has(path));
  none(codeLines(rest, WORLDLY), 'take it from `env`, see src/env.ts');
});

test('only named files subscribe', () => {
  const subscribing = SRC.filter(({ code }) => /\.subscribe\(/.test(code)).map(({ path }) => path);
  none(
    subscribing.filter((path) => SUBSCRIBERS[path] === undefined),
    'return the Observable instead, or name the file with a reason',
  );
});

test('the lists of exceptions name only files that need them', () => {
  const subscribes = (path: string): boolean =>
    SRC.some((source) => source.path === path && /\.subscribe\(/.test(source.code));
  none(
    Object.keys(SUBSCRIBERS).filter((path) => !subscribes(path)),
    'these subscribe no more',
  );
  none(
    Object.keys(IMPURE).filter((path) => !exists(path)),
    'these are gone',
  );
});

test('imports follow the flow', () => {
  none(
    SRC.flatMap(({ path, imports }) => {
      const zone = zoneOf(path);
      const allowed = [zone, 'base', ...(MAY_IMPORT[zone] ?? [])];
      return imports
        .filter(({ target, relative }) => relative && !allowed.includes(zoneOf(target)))
        .map(({ target }) => `${path} (${zone}) imports ${target} (${zoneOf(target)})`);
    }),
    'against the flow server → router → binder → balancer → connector → duplex',
  );
});

test('nobody imports main', () => {
  none(
    ALL.flatMap(({ path, imports }) =>
      imports.filter(({ target }) => target === 'src/main.ts').map(() => path),
    ),
    'main is the end of the line',
  );
});

test('packages are imported by their public names, where they belong', () => {
  const allowed = (path: string, target: string): boolean =>
    /^node:/.test(target) ||
    /^fp-ts\/lib\/\w+\.js$/.test(target) ||
    (PACKAGES[target]?.test(path) ?? false);
  none(
    SRC.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, relative }) => !relative && !allowed(path, target))
        .map(({ target }) => `${path} imports ${target}`),
    ),
    'see `PACKAGES` above',
  );
  const metrics = SRC.filter(({ imports }) => imports.some((i) => i.target === 'prom-client'));
  assert.ok(metrics.length <= 1, 'prom-client belongs in one file');
  none(
    ALL.filter(({ path }) => !path.startsWith('src/testing/'))
      .filter(({ imports }) => imports.some(({ target }) => target === 'rxjs/testing'))
      .map(({ path }) => path),
    'use src/testing/marbles.ts',
  );
});

test('no check is switched off', () => {
  const off = new RegExp(['@ts-(?:ignore|expect-error|nocheck)', 'biome-ig' + 'nore'].join('|'));
  none(lines(SRC, off), 'mend the code instead');
  none(codeLines(SRC, /(?:[:<|,(]|\bas)\s*any\b(?!\s*[:=])/), 'no `any`');
  none(codeLines(SRC, /[\w\])]!(?:[.;,)\]}]|$)/), 'no non-null assertion');
  none(codeLines(SRC, /\bas unknown as\b/), 'no double cast');
});

test('files can be read at one sitting', () => {
  none(
    SRC.map(({ path, text }) => ({ path, length: text.split('\n').length - 1 }))
      .filter(({ length }) => length > 250)
      .map(({ path, length }) => `${path}: ${length} lines`),
    'at most 250 lines',
  );
});

test('each file opens with a comment, each export has a docstring', () => {
  const declared =
    /^export (?:declare |abstract |async )*(?:const|function\*?|class|interface|type)\s+(\w+)/;
  none(
    SRC.filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path),
    'open the file with what it is',
  );
  none(
    SRC.flatMap(({ path, text }) => {
      const all = text.split('\n');
      return all.flatMap((line, i) => {
        const name = declared.exec(line)?.[1];
        const bare = name !== undefined && !(all[i - 1] ?? '').trimEnd().endsWith('*/');
        return bare ? [`${path}:${i + 1}: ${name}`] : [];
      });
    }),
    'say what it is',
  );
});

test('nothing is left for later', () => {
  none(lines(ALL, /\b(?:TO[D]O|FIX[M]E|XX[X])\b/), 'do it, or leave it out');
});

test('no test is skipped or focused', () => {
  const tests = ALL.filter(({ path }) => !path.startsWith('src/'));
  none(codeLines(tests, /\b(?:test|it|describe)\.(?:skip|only|todo)\(|\bskip: *true\b/), 'run it');
});

test('the top level holds what a reader expects, nothing else', () => {
  const expected = new Set(
    `package.json package-lock.json tsconfig.json biome.json README.md CHANGELOG.md LICENSE src test
     marbles config node_modules dist`.split(/\s+/),
  );
  none(
    readdirSync('.').filter((name) => !name.startsWith('.') && !expected.has(name)),
    'find a home below the top level',
  );
});
