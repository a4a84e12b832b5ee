/** The config file: what loads, with which meaning, and how each mistake is told. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { Config } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import { clientPolicy, DEFAULT_POLICY } from '../src/config/policy.ts';
import { showConfigError } from '../src/config/report.ts';
import type { Path } from '../src/path.ts';
import { FILES } from './support/tls-settings.ts';

const load = (text: string): Config => {
  const loaded = loadConfig(text, FILES);
  assert.ok(isRight(loaded), isLeft(loaded) ? JSON.stringify(loaded.left) : '');
  return loaded.right.config;
};

const errorsOf = (text: string): readonly string[] => {
  const loaded = loadConfig(text, FILES);
  return isLeft(loaded) ? loaded.left.map(showConfigError('c.yaml')) : [];
};

const NAMERD =
  '{ kind: io.l5d.namerd.http, baseUrl: "http://n:4180/", namespace: d, periodSecs: 20 }';
const STATIC = '{ kind: static, names: { /svc/a: [127.0.0.1:80, "[::1]:81 * 0.5"] } }';

/** A file with one router; `server`, `router` and `top` are put in where they belong. */
const withKeys = ({ server = '', router = '', top = '', interpreter = NAMERD } = {}): string =>
  `routers:
  - label: a
    interpreter: ${interpreter}
    servers: [{ port: 7474, dstName: /svc/a${server} }]
    ${router}
${top}
`;

for (const file of ['config/quickstart.yaml', 'config/namerd.yaml'])
  test(`${file} loads`, () => {
    assert.equal(load(readFileSync(file, 'utf8')).routers.length, 1);
  });

test('a file like the original’s container example loads, with a word on the key that lost its meaning', () => {
  const loaded = loadConfig(
    `admin: { port: 9989, metricsIntervalSecs: 5 }
routers:
  - label: redis
    interpreter: { kind: io.l5d.namerd.http, baseUrl: http://namerd:4180, namespace: default, periodSecs: 20 }
    servers: [{ port: 7474, ip: 0.0.0.0, dstName: /svc/redis }]
`,
    FILES,
  );
  assert.ok(isRight(loaded));
  assert.deepEqual(loaded.right.warnings.map(showConfigError('c.yaml')), [
    'c.yaml:1:43 admin.metricsIntervalSecs: has no effect: metrics are live; remove it',
  ]);
});

test('JSON loads, with tabs, a BOM or CRLF', () => {
  const json =
    '{"routers": [{"label": "a", "interpreter": {"kind": "static", "names": {}}, "servers": []}]}';
  for (const text of [
    json,
    json.replaceAll(' ', '\n\t'),
    `\ufeff${json}`,
    json.replaceAll(' ', '\r\n'),
  ])
    assert.equal(load(text).routers[0]?.label, 'a');
});

test('what is not said has its default', () => {
  const { admin, routers, bufferSizeBytes } = load(withKeys());
  const server = routers[0]?.servers[0];
  assert.deepEqual(
    [admin.ip, admin.port, admin.graceSecs, bufferSizeBytes],
    ['127.0.0.1', 9989, 10, 1_048_576],
  );
  assert.equal(server?.address.text, '127.0.0.1:7474');
  assert.deepEqual(
    [
      server?.connectTimeoutMs,
      server?.idleTimeoutMs,
      server?.connectionLifetimeMs,
      server?.maxConcurrency,
    ],
    [10_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 100_000],
  );
  assert.deepEqual(clientPolicy(routers[0]?.client ?? [], '/svc/a' as Path), DEFAULT_POLICY);
});

test('what is said has its meaning', () => {
  const { routers } = load(
    withKeys({
      server:
        ', connectTimeoutMs: 500, connectionLifetimeSecs: 410, idleTimeoutMs: 1, maxConcurrency: 3',
      interpreter: STATIC,
    }),
  );
  const [router] = routers;
  const server = router?.servers[0];
  assert.deepEqual(
    [
      server?.connectTimeoutMs,
      server?.connectionLifetimeMs,
      server?.idleTimeoutMs,
      server?.maxConcurrency,
    ],
    [500, 410_000, 1, 3],
  );
  assert.ok(router?.interpreter.kind === 'static');
  assert.deepEqual(
    router.interpreter.names
      .get('/svc/a' as Path)
      ?.map(({ address, weight }) => [address.text, weight]),
    [
      ['127.0.0.1:80', 1],
      ['[::1]:81', 0.5],
    ],
  );
});

test('client blocks win later over earlier, key by key, also inside failFast', () => {
  const { routers } = load(
    withKeys({
      router: `client:
      kind: io.l5d.static
      configs:
        - { prefix: /, connectTimeoutMs: 400, failFast: { maxConsecutiveFailures: 0 } }
        - { prefix: /svc, maxWaiters: 3, failFast: { failurePenaltySecs: 7 } }
        - { prefix: /svcs, maxWaiters: 9 }
        - { prefix: "/svc/{x}/b", minConnections: 2 }`,
    }),
  );
  const client = routers[0]?.client ?? [];
  const policy = clientPolicy(client, '/svc/a' as Path);
  assert.deepEqual(
    [policy.connectTimeoutMs, policy.maxWaiters, policy.minConnections],
    [400, 3, 0],
  );
  assert.deepEqual(policy.failFast, {
    maxConsecutiveFailures: Number.POSITIVE_INFINITY,
    failurePenaltySecs: 7,
  });
  assert.equal(clientPolicy(client, '/svc/a/b' as Path).minConnections, 2);
});

const MISTAKES: readonly (readonly [string, Parameters<typeof withKeys>[0], string])[] = [
  [
    'an unknown key',
    { server: ', idleTimeoutMS: 5' },
    'c.yaml:4:46 routers[0].servers[0].idleTimeoutMS: unknown key, did you mean "idleTimeoutMs"?',
  ],
  [
    'a limit of 0',
    { server: ', connectTimeoutMs: 0' },
    'c.yaml:4:64 routers[0].servers[0].connectTimeoutMs: expected a whole number of ms, at least 1, got 0',
  ],
  [
    'NaN',
    { server: ', maxConcurrency: .nan' },
    'c.yaml:4:62 routers[0].servers[0].maxConcurrency: expected a whole number, at least 1, got NaN',
  ],
  [
    'an unknown kind',
    { interpreter: '{ kind: statik }' },
    'c.yaml:3:26 routers[0].interpreter.kind: expected one of default, io.l5d.namerd.http, static, got "statik", did you mean "static"?',
  ],
  [
    'a host name',
    { interpreter: '{ kind: static, names: { /a: [db1:80] } }' },
    'c.yaml:3:48 routers[0].interpreter.names["/a"][0]: expected an IP address and port, with a weight if wanted, such as 127.0.0.1:80 or "127.0.0.1:80 * 0.5", got "db1:80"',
  ],
  [
    'an address twice',
    { interpreter: '{ kind: static, names: { /a: [1.1.1.1:80, 1.1.1.1:80] } }' },
    'c.yaml:3:60 routers[0].interpreter.names["/a"][1]: expected each address once, got 1.1.1.1:80 twice',
  ],
  [
    'TLS without an identity',
    { server: ', tls: {}' },
    'c.yaml:4:51 routers[0].servers[0].tls: expected a defaultIdentity, or identities by server name, got none',
  ],
  [
    'the admin port',
    { top: 'admin: { ip: 0.0.0.0, port: 7474 }' },
    'c.yaml:6:29 admin.port: expected a port of its own, got 7474 as routers[0].servers[0].port; change one',
  ],
  [
    'a buffer of 0',
    { top: 'bufferSizeBytes: 0' },
    'c.yaml:6:18 bufferSizeBytes: expected a number of bytes from 1024 to 16777216, got 0',
  ],
  [
    'a dtab with a mistake',
    { interpreter: '{ kind: default }', router: 'dtab: "/svc => /a | ;"' },
    "c.yaml:5:25 routers[0].dtab: '/', '(', '~', '!' or '$' expected but ';' found at '/svc => /a | [;]'",
  ],
  [
    'a dtab that nobody asks',
    { router: 'dtab: /a => /b' },
    'c.yaml:5:11 routers[0].dtab: expected no dtab with the interpreter io.l5d.namerd.http, which does not use it; remove one',
  ],
  [
    'a namer’s folder that is not there',
    { top: 'namers: [{ kind: io.l5d.fs, rootDir: nosuch }]' },
    'c.yaml:6:38 namers[0].rootDir: expected a folder, got nosuch: no such file',
  ],
  [
    'namers in each other’s way',
    {
      top: 'namers: [{ kind: io.l5d.fs, rootDir: ., prefix: /a }, { kind: io.l5d.dnssrv, prefix: /a/b }]',
    },
    'c.yaml:6:86 namers[1].prefix: expected a prefix that is apart from /a, got /a/b; change one',
  ],
  [
    'a namer at the root',
    { top: 'namers: [{ kind: io.l5d.dnssrv, prefix: / }]' },
    'c.yaml:6:41 namers[0].prefix: expected a path such as /io.l5d.fs, not /, got "/"',
  ],
  ['a key twice', { top: 'log: {}\nlog: {}' }, 'c.yaml:7:1 Map keys must be unique'],
];

test('a mistake in a dtab is told where it stands, however that is written', () => {
  const placeIn = (dtab: string): string | undefined =>
    /^c\.yaml:(\d+:\d+) /.exec(
      errorsOf(`routers:\n  - label: a\n    servers: []\n    dtab: ${dtab}\n`)[0] ?? '',
    )?.[1];
  assert.equal(placeIn('/a = /b'), '4:14');
  assert.equal(placeIn('"/a = /b"'), '4:15');
  assert.equal(placeIn(`'/a = /b'`), '4:15');
  assert.equal(placeIn('|\n      /a => /b;\n      /a = /b'), '6:10');
  assert.equal(placeIn('|\n\n        # note\n        /a = /b'), '7:12');
  assert.equal(placeIn('>\n      /a => /b;\n      /a = /b'), '4:11');
});

for (const [what, keys, line] of MISTAKES)
  test(`${what} is told in one line`, () => assert.deepEqual(errorsOf(withKeys(keys)), [line]));

test('all mistakes of a file are told together, by place', () => {
  const lines = errorsOf(
    'routers:\n  - { label: a, servers: [{ port: 74x, dstName: svc }] }\nadmin: { prt: 1 }\n',
  );
  assert.deepEqual(
    lines.map((line) => line.split(': ')[0]),
    [
      'c.yaml:2:35 routers[0].servers[0].port',
      'c.yaml:2:49 routers[0].servers[0].dstName',
      'c.yaml:3:10 admin.prt',
    ],
  );
});

test('what is no config at all is told as well', () => {
  for (const text of [
    '',
    '[]',
    'null',
    '5',
    'a: b: c',
    '--- {}\n--- {}',
    '{',
    `a: ${'x'.repeat(1_000_000)}`,
  ])
    assert.ok(errorsOf(text).length > 0, text.slice(0, 20));
});

test('an alias bomb is refused', () => {
  const bomb = Array.from(
    { length: 12 },
    (_, i) => `k${i}: &k${i} [${Array(9).fill(i === 0 ? 'x' : `*k${i - 1}`)}]`,
  );
  assert.match(errorsOf(bomb.join('\n')).join(), /alias/i);
});

test('whatever a file holds, it loads or each mistake is one line with a place', () => {
  const good = withKeys({ server: ', idleTimeoutMs: 5', interpreter: STATIC });
  const edit = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(20),
    put: fc.string({ unit: 'grapheme', maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce(
        (sum, { at, drop, put }) => sum.slice(0, at) + put + sum.slice(at + drop),
        good,
      );
      const loaded = loadConfig(text, FILES);
      if (isRight(loaded)) return;
      assert.ok(loaded.left.length > 0);
      for (const error of loaded.left) {
        assert.ok(error.line >= 1 && error.col >= 1);
        assert.doesNotMatch(showConfigError('c.yaml')(error), /[\r\n]/);
      }
    }),
    { numRuns: 500 },
  );
});
