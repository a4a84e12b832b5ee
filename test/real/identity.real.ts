/** Who is calling: openssl and curl as clients, with certificates, protocols and names. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { Authority, KEYS } from '../support/openssl.ts';
import {
  findProgram,
  freePort,
  makeScope,
  runCommand,
  startService,
  succeed,
  temporaryFolder,
} from '../support/process.ts';
import { route } from '../support/route.ts';
import type { Certificate } from '../support/servers.ts';
import { startServer } from '../support/tcp.ts';

const SPIFFE = 'spiffe://prod/ns/shop/sa/web';
const scope = makeScope({ after });
const kinds = Object.keys(KEYS) as (keyof typeof KEYS)[];
let folder: string;
let authority: Authority;
let stranger: Authority;
let servers: Readonly<Record<string, Certificate>>;
let web: Certificate;
let revoked: Certificate;
let foreign: Certificate;
let daemon: Daemon;

const identity = ({ cert, key }: Certificate) => ({ certs: [cert], privateKey: key });

/** Tells its name and what it has heard, and ends. */
const startTeller = (name: string): Promise<number> =>
  startServer(scope, (socket) => {
    socket.once('data', (bytes) => socket.end(`${name} heard ${String(bytes).trim()}\n`));
  });

/** An HTTPS server that says its name. */
const startSecure = async (name: string): Promise<number> => {
  const port = await freePort();
  const { cert, key } = await authority.issue(name, `DNS:${name}`);
  const page = join(folder, name);
  await writeFile(page, `HTTP/1.0 200 OK\r\n\r\n${name}`);
  // It serves the files of the folder that it runs in.
  const serve = `s_server -accept 127.0.0.1:${port} -cert ${cert} -key ${key} -HTTP`;
  const command = `cd ${folder} && exec ${findProgram('openssl')} ${serve}`;
  await startService(scope, ['sh', '-c', command], { port });
  return port;
};

before(async () => {
  folder = await temporaryFolder(scope);
  authority = await Authority.make(folder, 'authority');
  stranger = await Authority.make(folder, 'stranger');
  const issued = kinds.map(
    async (kind, i) =>
      [kind, await authority.issue(`k${i}.example`, `DNS:k${i}.example`, kind)] as const,
  );
  servers = Object.fromEntries(await Promise.all(issued));
  web = await authority.issue('web', `URI:${SPIFFE},DNS:web.example`);
  revoked = await authority.issue('bad', 'DNS:bad.example');
  foreign = await stranger.issue('web', `URI:${SPIFFE}`);
  const crl = await authority.revoke(revoked);
  const [first] = Object.values(servers);
  assert.ok(first);
  const tls = {
    defaultIdentity: identity(first),
    identities: Object.fromEntries(
      Object.values(servers).map((one, i) => [`k${i}.example`, identity(one)]),
    ),
    alpnProtocols: ['h2', 'redis'],
    clientAuth: { mode: 'optional', trustCerts: [authority.cert], crls: [crl] },
  };
  const names: Record<string, number> = {
    cert: await startTeller('cert'),
    alpn: await startTeller('alpn'),
    sni: await startTeller('sni'),
    rest: await startTeller('rest'),
    one: await startSecure('one.example'),
    two: await startSecure('two.example'),
  };
  const endpoints = Object.entries(names).map(([name, port]) => [
    `/svc/${name}`,
    [`127.0.0.1:${port}`],
  ]);
  const base = {
    ...route('front', []),
    interpreter: { kind: 'static', names: Object.fromEntries(endpoints) },
  };
  daemon = await startDaemon(scope, {
    log: { format: 'json', level: 'debug' },
    routers: [
      {
        ...base,
        servers: [
          {
            port: 0,
            tls,
            identify: [
              { clientCert: { uri: 'spiffe://prod/ns/*/sa/web' }, dst: '/svc/cert' },
              { alpn: 'redis', dst: '/svc/alpn' },
              { sni: 'k1.example', dst: '/svc/sni' },
              { dst: '/svc/rest' },
            ],
          },
          {
            port: 0,
            dstName: '/svc/rest',
            tls: { ...tls, strictSni: true, clientAuth: undefined },
          },
          {
            port: 0,
            peek: {},
            identify: [{ sni: '{name}.example', dst: '/svc/{name}' }, { dst: '/svc/rest' }],
          },
        ],
      },
    ],
  });
});

const [FRONT, STRICT, PEEKED] = [0, 1, 2];

/** What openssl says, and what came back. */
const talk = async (server: number, ...options: readonly string[]): Promise<string> => {
  const at = ['-connect', `127.0.0.1:${daemon.ports[server]}`, '-CAfile', authority.cert];
  const command = [findProgram('openssl'), 's_client', '-ign_eof', ...at, ...options];
  const { stdout, stderr } = await runCommand(command, 'hello\n');
  return `${stdout}${stderr}`;
};

const shows = ({ cert, key }: Certificate): readonly string[] => ['-cert', cert, '-key', key];

test('openssl reaches what its certificate, protocol or name leads to', async () => {
  const cases = [
    [shows(web), 'cert'],
    [['-alpn', 'redis'], 'alpn'],
    [['-servername', 'K1.example'], 'sni'],
    [['-servername', 'unknown.example'], 'rest'],
  ] as const;
  for (const [options, name] of cases)
    assert.match(await talk(FRONT, ...options), new RegExp(`^${name} heard hello$`, 'm'));
  const line = await daemon.logged(({ cert }) => cert !== undefined);
  assert.equal(line['cert'], SPIFFE);
});

test('every kind of key serves, whatever it is written as', async () => {
  for (const [i, kind] of kinds.entries()) {
    const said = await talk(FRONT, '-servername', `k${i}.example`);
    assert.match(said, /Verify return code: 0/, kind);
    assert.match(said, new RegExp(`subject=CN = k${i}\\.example`), kind);
  }
});

test('a revoked certificate and one of a stranger are refused and counted, others are served', async () => {
  const from = daemon.log.length;
  for (const [shown, reason] of [
    [revoked, 'tls-handshake (CERT_REVOKED)'],
    [foreign, 'tls-handshake (UNABLE_TO_VERIFY_LEAF_SIGNATURE)'],
  ] as const) {
    assert.doesNotMatch(await talk(FRONT, ...shows(shown)), /heard/);
    await daemon.logged((line) => line.reason === reason, from);
  }
  assert.match(await talk(FRONT, ...shows(web)), /cert heard hello/);
  assert.equal(await daemon.metric('l5d:srv:tls:failure', 'cause="certificate"'), 2);
});

test('an unknown name is told so where names are strict', async () => {
  assert.match(await talk(STRICT, '-servername', 'unknown.example'), /unrecognized name/);
  assert.match(await talk(STRICT, '-servername', 'k0.example'), /rest heard hello/);
});

test('openssl goes on with its session', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const session = join(folder, `session${version}`);
    const name = ['-servername', 'k0.example', version];
    await talk(STRICT, ...name, '-sess_out', session);
    assert.match(await talk(STRICT, ...name, '-sess_in', session), /^Reused, TLSv1/m);
  }
});

test('where there are revocation lists no session goes on', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const session = join(folder, `listed${version}`);
    await talk(FRONT, version, '-sess_out', session);
    assert.match(await talk(FRONT, version, '-sess_in', session), /^New, TLSv1/m);
  }
});

test('a client that wants to begin again within its stream cannot', async () => {
  const at = `127.0.0.1:${daemon.ports[STRICT]}`;
  const name = ['-servername', 'k0.example', '-tls1_2'];
  const command = [findProgram('openssl'), 's_client', '-connect', at, ...name];
  const { stdout, stderr } = await runCommand(command, 'R\n');
  assert.match(`${stdout}${stderr}`, /RENEGOTIATING[\s\S]*no renegotiation/);
  assert.match(await talk(STRICT, ...name), /rest heard hello/);
});

test('curl reaches HTTPS servers by their names, through a server that only looks', async () => {
  const port = daemon.ports[PEEKED];
  for (const name of ['one', 'two']) {
    const to = ['--resolve', `${name}.example:${port}:127.0.0.1`, '--cacert', authority.cert];
    const url = `https://${name}.example:${port}/${name}.example`;
    assert.equal(
      await succeed([findProgram('curl'), '-sS', '--max-time', '10', ...to, url]),
      `${name}.example`,
    );
  }
});
