/** TLS at the daemon’s door and towards its endpoints, with the clients and servers that people use. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import {
  findProgram,
  makeScope,
  runCommand,
  succeed,
  temporaryFolder,
} from '../support/process.ts';
import { route } from '../support/route.ts';
import { type Certificate, makeCertificate, startRedis } from '../support/servers.ts';

const scope = makeScope({ after });
let daemon: Daemon;
let localhost: Certificate;
let other: Certificate;

const identity = ({ cert, key }: Certificate) => ({ certs: [cert], privateKey: key });

before(async () => {
  const folder = await temporaryFolder(scope);
  localhost = await makeCertificate(folder, 'localhost');
  other = await makeCertificate(folder, 'other.test');
  const plain = await startRedis(scope);
  const secure = await startRedis(scope, { tls: localhost });
  const tls = {
    alpnProtocols: ['redis'],
    defaultIdentity: identity(localhost),
    identities: { 'other.test': identity(other) },
  };
  const trusting = { tls: { dnsName: 'localhost', trustCerts: [localhost.cert] } };
  const doubting = { tls: { dnsName: 'localhost', trustCerts: [other.cert] } };
  daemon = await startDaemon(scope, {
    routers: [
      route('front', [plain.port], { server: { tls } }),
      route('back', [secure.port], { client: trusting }),
      route('both', [secure.port], { server: { tls }, client: trusting }),
      route('doubt', [secure.port], { server: { connectTimeoutMs: 2000 }, client: doubting }),
    ],
  });
});

const [FRONT, BACK, BOTH, DOUBT] = [0, 1, 2, 3];

const secured = (): readonly string[] => ['--tls', '--cacert', localhost.cert];

const target = (server: number): readonly string[] => [
  ...['-h', '127.0.0.1', '-p', String(daemon.ports[server])],
];

const cli = (server: number, options: readonly string[], ...command: readonly string[]) =>
  succeed([findProgram('redis-cli'), ...target(server), ...options, ...command]);

/** What `openssl s_client` says of the session. */
const handshake = async (name: string): Promise<string> => {
  const at = ['-connect', `127.0.0.1:${daemon.ports[FRONT]}`, '-servername', name];
  const { stdout } = await runCommand([
    findProgram('openssl'),
    's_client',
    ...at,
    '-alpn',
    'redis',
  ]);
  return stdout;
};

test('redis-cli speaks TLS to a server with an identity', async () => {
  assert.equal((await cli(FRONT, secured(), 'ping')).trim(), 'PONG');
});

test('a TLS server loses no command of a pipelined redis-benchmark', async () => {
  const load = ['-c', '20', '-n', '20000', '-P', '16', '-q', 'incr', 'counter'];
  const benchmark = [findProgram('redis-benchmark'), ...target(FRONT), ...secured(), ...load];
  assert.match(await succeed(benchmark), /requests per second/);
  assert.equal((await cli(FRONT, secured(), 'get', 'counter')).trim(), '20000');
});

test('a large value arrives whole through TLS, whichever side speaks it', async () => {
  const value = 'z'.repeat(5_000_000);
  for (const [server, options] of [
    [FRONT, secured()],
    [BACK, []],
    [BOTH, secured()],
  ] as const) {
    const at = [findProgram('redis-cli'), ...target(server), ...options];
    assert.equal((await succeed([...at, '-x', 'set', 'large'], value)).trim(), 'OK');
    assert.equal((await succeed([...at, '--raw', 'get', 'large'])).trim(), value);
  }
});

test('the certificate follows the server name, and ALPN is agreed', async () => {
  assert.match(await handshake('other.test'), /subject=CN = other\.test/);
  const unknown = await handshake('unknown.test');
  assert.match(unknown, /subject=CN = localhost/);
  assert.match(unknown, /ALPN protocol: redis/);
});

test('plain clients reach an endpoint that speaks TLS', async () => {
  assert.equal((await cli(BACK, [], 'ping')).trim(), 'PONG');
});

test('an endpoint whose certificate is not trusted is not used', async () => {
  const { stdout, stderr } = await runCommand([
    ...[findProgram('redis-cli'), ...target(DOUBT), 'ping'],
  ]);
  assert.doesNotMatch(stdout, /PONG/);
  assert.match(`${stdout}${stderr}`, /Error|reset|closed/i);
});

test('a client that speaks no TLS is turned away, and others are served', async () => {
  const { stdout } = await runCommand([findProgram('redis-cli'), ...target(FRONT), 'ping']);
  assert.doesNotMatch(stdout, /PONG/);
  assert.equal((await cli(FRONT, secured(), 'ping')).trim(), 'PONG');
});
