/** curl and nginx: HTTPS servers behind a server that only looks, and plain ones behind one that speaks TLS for them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { Authority } from '../support/openssl.ts';
import { findProgram, freePort, makeScope, succeed, temporaryFolder } from '../support/process.ts';
import { route } from '../support/route.ts';
import { type Certificate, startNginxServers } from '../support/servers.ts';

const SPIFFE = 'spiffe://prod/ns/shop/sa/web';
const scope = makeScope({ after });
let authority: Authority;
let front: Certificate;
let web: Certificate;
let daemon: Daemon;
const [SPEAKS, LOOKS] = [0, 1];

/** What an nginx behind us answers: which one it is, and how it was asked. */
const answering = (port: number, name: string, how = '', more = ''): string =>
  `server { listen 127.0.0.1:${port} ${how}; ${more}
     location / { return 200 "${name} $server_protocol $ssl_protocol $ssl_server_name"; } }\n`;

const secured = ({ cert, key }: Certificate): string =>
  `ssl_protocols TLSv1.3; ssl_certificate ${cert}; ssl_certificate_key ${key};`;

const NAMES = ['h2', 'h1', 'cert', 'one', 'two'] as const;

const startBackends = async (folder: string): Promise<ReadonlyMap<string, number>> => {
  authority = await Authority.make(folder, 'authority');
  const made = NAMES.map(async (name) => [name, await freePort()] as const);
  const ports = new Map(await Promise.all(made));
  const at = (name: (typeof NAMES)[number]): number => ports.get(name) ?? 0;
  const own = async (name: 'one' | 'two'): Promise<string> => {
    const pair = await authority.issue(name, `DNS:${name}.example`);
    return answering(at(name), name, 'ssl', secured(pair));
  };
  const servers = [
    answering(at('h2'), 'h2', 'http2'),
    answering(at('h1'), 'h1'),
    answering(at('cert'), 'cert'),
    ...(await Promise.all([own('one'), own('two')])),
  ];
  await startNginxServers(scope, servers.join(''), at('h1'));
  return ports;
};

before(async () => {
  const folder = await temporaryFolder(scope);
  const ports = await startBackends(folder);
  front = await authority.issue('front', 'DNS:front.example');
  web = await authority.issue('web', `URI:${SPIFFE}`);
  const names = [...ports].map(([name, port]) => [`/svc/${name}`, [`127.0.0.1:${port}`]]);
  const speaks = {
    port: 0,
    tls: {
      defaultIdentity: { certs: [front.cert], privateKey: front.key },
      alpnProtocols: ['h2', 'http/1.1'],
      clientAuth: { mode: 'optional', trustCerts: [authority.cert] },
    },
    identify: [
      { clientCert: { uri: 'spiffe://prod/ns/*/sa/web' }, dst: '/svc/cert' },
      { alpn: 'h2', dst: '/svc/h2' },
      { dst: '/svc/h1' },
    ],
  };
  const looks = { port: 0, peek: {}, identify: [{ sni: '{name}.example', dst: '/svc/{name}' }] };
  daemon = await startDaemon(scope, {
    log: { format: 'json' },
    routers: [
      {
        ...route('web', []),
        interpreter: { kind: 'static', names: Object.fromEntries(names) },
        servers: [speaks, looks],
      },
    ],
  });
});

const curl = (server: number, host: string, ...options: readonly string[]): Promise<string> => {
  const port = daemon.ports[server];
  const to = ['--resolve', `${host}:${port}:127.0.0.1`, '--cacert', authority.cert];
  const limits = ['-sS', '--fail', '--max-time', '10'];
  return succeed([findProgram('curl'), ...limits, ...to, ...options, `https://${host}:${port}/`]);
};

test('the protocol that was agreed on leads to the server that speaks it', async () => {
  assert.match(await curl(SPEAKS, 'front.example', '--http2'), /^h2 HTTP\/2\.0/);
  assert.match(await curl(SPEAKS, 'front.example', '--http1.1'), /^h1 HTTP\/1\.1/);
});

test('a client certificate leads to what is kept for it, and its name is in the log', async () => {
  const shown = ['--cert', web.cert, '--key', web.key, '--http1.1'];
  assert.match(await curl(SPEAKS, 'front.example', ...shown), /^cert HTTP\/1\.1/);
  const line = await daemon.logged(({ dst }) => dst === '/svc/cert');
  assert.equal(line['cert'], SPIFFE);
});

test('each HTTPS server of nginx shows its own certificate behind a server that only looks', async () => {
  for (const name of ['one', 'two'])
    assert.match(
      await curl(LOOKS, `${name}.example`),
      new RegExp(`^${name} \\S+ TLSv1\\.3 ${name}\\.example$`),
    );
});

test('over one connection curl asks a hundred times', async () => {
  const port = daemon.ports[SPEAKS];
  const many = `https://front.example:${port}/[1-100]`;
  const to = ['--resolve', `front.example:${port}:127.0.0.1`, '--cacert', authority.cert];
  const counted = ['-w', '%{num_connects}\n', '-o', '/dev/null'];
  const said = await succeed([findProgram('curl'), '-sS', '--http1.1', ...to, ...counted, many]);
  const connects = said.trim().split('\n').map(Number);
  assert.equal(connects.length, 100);
  assert.equal(
    connects.reduce((sum, one) => sum + one),
    1,
  );
});
