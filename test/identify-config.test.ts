/** Mistakes in rules of identification and TLS, each told at its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { loadConfig } from '../src/config/load.ts';
import { showConfigError } from '../src/config/report.ts';
import { FILES } from './support/tls-settings.ts';

const load = (server: string, client = '{ kind: io.l5d.global }') =>
  loadConfig(
    `routers:
  - { label: a, interpreter: { kind: static, names: {} }, client: ${client}, servers: [{ port: 1, ${server} }] }`,
    FILES,
  );

const errorsOf = (...config: Parameters<typeof load>): readonly string[] => {
  const loaded = load(...config);
  return isLeft(loaded) ? loaded.left.map(showConfigError('c.yaml')) : [];
};

const IDENTITY = '{ certs: [c], privateKey: k }';
const TLS = `tls: { defaultIdentity: ${IDENTITY} }`;
const CERT = `tls: { defaultIdentity: ${IDENTITY}, clientAuth: { mode: required, trustCerts: [r] } }`;
const PEEK = 'peek: {}';
const AT = 'c.yaml:2:';

const CASES: readonly (readonly [what: string, server: string, wanted: RegExp])[] = [
  [
    'both',
    'dstName: /a, identify: []',
    /servers\[0\]: expected one of dstName and identify, got both/,
  ],
  ['neither', 'ip: 127.0.0.1', /expected one of dstName and identify, got none/],
  [
    'an unknown capture',
    `${PEEK}, identify: [{ sni: "{tenant}.x", dst: "/{tenent}" }]`,
    /nothing captures \{tenent\}.*did you mean "tenant"/,
  ],
  [
    'a capture named like what is built in',
    `${PEEK}, identify: [{ sni: "{sni}.x", dst: /a }]`,
    /with a name of its own, got "\{sni\}"/,
  ],
  [
    '* within a label',
    `${PEEK}, identify: [{ sni: "a*.x", dst: /a }]`,
    /expected \* to stand for a whole label/,
  ],
  [
    'a capture twice in a pattern',
    `${PEEK}, identify: [{ sni: "{a}-{a}.x", dst: "/{a}" }]`,
    /expected \{a\} once, got "\{a\}-\{a\}\.x"/,
  ],
  [
    'a capture of two conditions',
    `${CERT}, identify: [{ sni: "{a}.x", clientCert: { cn: "{a}.y" }, dst: "/{a}" }]`,
    /expected one condition to capture \{a\}, got several/,
  ],
  ['a name that can be none', 'identify: [{ dst: "/a//{source}" }]', /dst: expected a path/],
  [
    'sni without TLS',
    'identify: [{ sni: a, dst: /a }]',
    /sni: the server has neither tls nor peek/,
  ],
  ['alpn without TLS', 'identify: [{ alpn: h2, dst: /a }]', /alpn: the server has neither/],
  [
    'clientCert unasked for',
    `${TLS}, identify: [{ clientCert: { cn: a }, dst: /a }]`,
    /clientCert: the server’s tls asks for no certificate/,
  ],
  [
    'a network that is none',
    'identify: [{ source: 10.0.0.0/33, dst: /a }]',
    /expected an IP address or network/,
  ],
  [
    'a port that is none',
    'identify: [{ localPort: 0, dst: /a }]',
    /expected a port 1-65535, or a list of them/,
  ],
  ['tls and peek', `dstName: /a, ${TLS}, ${PEEK}`, /peek: expected one of tls and peek, got both/],
  ['trust of nobody', 'dstName: /a, proxyProtocol: {}', /trust: expected/],
  [
    'client certificates without roots',
    `dstName: /a, tls: { defaultIdentity: ${IDENTITY}, clientAuth: { mode: required } }`,
    /clientAuth\.trustCerts: expected at least one file/,
  ],
  [
    'a server name that is none',
    `dstName: /a, tls: { identities: { "a.*.b": ${IDENTITY} } }`,
    /expected a server name such as db\.example\.com/,
  ],
  [
    'a protocol that is none',
    `dstName: /a, tls: { defaultIdentity: ${IDENTITY}, alpnProtocols: ["h 2"] }`,
    /expected a protocol name such as h2/,
  ],
];

for (const [what, server, wanted] of CASES)
  test(`${what} is told in one line, at its place`, () => {
    const errors = errorsOf(server);
    assert.equal(errors.length, 1, errors.join('\n'));
    assert.ok(errors[0]?.startsWith(AT), errors[0]);
    assert.match(errors[0] ?? '', wanted);
  });

test('a rule behind one that always holds is warned of', () => {
  const loaded = load('identify: [{ dst: /a }, { localPort: 1, dst: /b }]');
  assert.ok(isRight(loaded));
  const [warning] = loaded.right.warnings.map(showConfigError('c.yaml'));
  assert.match(warning ?? '', /identify\[1\]: is never reached: .*identify\[0\] has no conditions/);
});

test('alternatives of a condition may capture the same', () => {
  assert.deepEqual(errorsOf(`${PEEK}, identify: [{ sni: ["{a}.x", "{a}.y"], dst: "/{a}" }]`), []);
});

test('what a certificate says is compared in one form', () => {
  const loaded = load(`${CERT}, identify: [
    { clientCert: { dns: Web.Example, ip: "2001:DB8:0::1", fingerprint: "AB:01" }, dst: /a }]`);
  assert.ok(isRight(loaded));
  const [rule] = loaded.right.config.routers[0]?.servers[0]?.identify ?? [];
  assert.ok(rule !== undefined && 'conditions' in rule);
  assert.deepEqual(rule.conditions.clientCert, {
    dns: ['web.example'],
    ip: ['2001:db8::1'],
    fingerprint: ['ab01'],
  });
});

test('a prefix whose segment captures a name twice is told', () => {
  const client = (prefix: string): string =>
    `{ kind: io.l5d.static, configs: [{ prefix: "${prefix}" }] }`;
  assert.deepEqual(errorsOf('dstName: /a', client('/svc/{a}/{a}')), []);
  assert.match(errorsOf('dstName: /a', client('/svc/{a}-{a}')).join(), /expected a path prefix/);
});

test('spares and connections that say whom they are for exclude each other', () => {
  for (const client of ['proxyProtocol: v1', 'tls: { dnsName: "{sni}" }']) {
    const errors = errorsOf('dstName: /a', `{ ${client}, minConnections: 1 }`);
    assert.match(errors.join('\n'), /minConnections: expected none beside proxyProtocol/);
  }
});

test('a client without a name to ask for validates nothing, and says so', () => {
  assert.match(errorsOf('dstName: /a', '{ tls: {} }').join('\n'), /tls: expected a dnsName/);
  const loaded = load('dstName: /a', '{ tls: { disableValidation: true } }');
  assert.ok(isRight(loaded));
  assert.match(loaded.right.warnings.map(showConfigError('c.yaml')).join('\n'), /not validated/);
});
