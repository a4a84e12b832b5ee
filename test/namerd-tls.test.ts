/** The served API over HTTPS: its certificate, and those that clients must show. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCert } from './support/certs.ts';
import { launch, startDaemon } from './support/daemon.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';

const get = async (port: number, options: RequestOptions): Promise<string> => {
  const outgoing = request({ port, path: '/api/1/dtabs', agent: false, ...options });
  outgoing.end();
  const [incoming] = await once(outgoing, 'response');
  return Buffer.concat(await incoming.toArray()).toString();
};

const start = async (scope: Scope) => {
  const folder = await temporaryFolder(scope);
  const server = await makeCert('localhost');
  const client = await makeCert('client');
  const paths = {
    certs: join(folder, 'cert.pem'),
    privateKey: join(folder, 'key.pem'),
    ca: join(folder, 'ca.pem'),
  };
  await writeFile(paths.certs, server.certs);
  await writeFile(paths.privateKey, server.privateKey);
  await writeFile(paths.ca, client.certs);
  const tls = {
    certPath: paths.certs,
    keyPath: paths.privateKey,
    caCertPath: paths.ca,
    requireClientAuth: true,
  };
  const config = {
    storage: { kind: 'io.l5d.inMemory', namespaces: { default: '/a => /b' } },
    interfaces: [{ kind: 'io.l5d.httpController', port: 0, tls }],
  };
  return { folder, paths, server, client, config };
};

test('clients with a certificate are served, others are not', async (t) => {
  const scope = makeScope(t);
  const { server, client, config } = await start(scope);
  const daemon = await startDaemon(scope, config, { command: 'namerd' });
  const { addr } = await daemon.logged(({ message }) => message === 'namerd listening');
  const port = Number(addr?.split(':').at(-1));
  const trust = { ca: server.certs, servername: 'localhost' };
  const shown = { cert: client.certs, key: client.privateKey };
  assert.equal(await get(port, { ...trust, ...shown }), '["default"]\n');
  await assert.rejects(get(port, trust));
  const stranger = await makeCert('stranger');
  await assert.rejects(get(port, { ...trust, cert: stranger.certs, key: stranger.privateKey }));
});

test('a certificate that is replaced is shown to whoever comes then', async (t) => {
  const scope = makeScope(t);
  const { paths, server, client, config } = await start(scope);
  const daemon = await startDaemon(scope, config, { command: 'namerd' });
  const { addr } = await daemon.logged(({ message }) => message === 'namerd listening');
  const port = Number(addr?.split(':').at(-1));
  const options = { servername: 'localhost', cert: client.certs, key: client.privateKey };
  assert.equal(await get(port, { ...options, ca: server.certs }), '["default"]\n');
  const next = await makeCert('localhost');
  await writeFile(paths.certs, next.certs);
  await writeFile(paths.privateKey, next.privateKey);
  await daemon.logged(({ message }) => message === 'certificates reloaded');
  assert.equal(await get(port, { ...options, ca: next.certs }), '["default"]\n');
  await assert.rejects(get(port, { ...options, ca: server.certs }));
});

/** What `--check` says of a configuration whose `tls` has these keys too. */
const complaint = async (
  { folder, config }: Awaited<ReturnType<typeof start>>,
  tls: object,
): Promise<string> => {
  const path = join(folder, 'n.json');
  const interfaces = config.interfaces.map((one) => ({ ...one, tls: { ...one.tls, ...tls } }));
  await writeFile(path, JSON.stringify({ ...config, interfaces }));
  const { child, exited } = launch(['--check', 'namerd', path]);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const [{ code }] = await Promise.all([exited, once(child.stderr, 'close')]);
  assert.equal(code, 78, text);
  return text;
};

test('--check tells a pair that does not belong together, and files that are missing', async (t) => {
  const setup = await start(makeScope(t));
  await writeFile(join(setup.folder, 'key.pem'), setup.client.privateKey);
  assert.match(
    await complaint(setup, {}),
    /interfaces\[0\]\.tls\.certPath: .*does not belong to the certificate/,
  );
  assert.match(
    await complaint(setup, { keyPath: 'nosuch.pem' }),
    /interfaces\[0\]\.tls\.keyPath: cannot read nosuch\.pem: no such file/,
  );
});

test('whom clients’ certificates lead to is told, and never everybody whom the system trusts', async (t) => {
  const setup = await start(makeScope(t));
  for (const text of ['', 'nonsense']) {
    await writeFile(join(setup.folder, 'ca.pem'), text);
    assert.match(
      await complaint(setup, {}),
      /interfaces\[0\]\.tls\.caCertPath: expected certificates in PEM/,
    );
  }
  assert.match(
    await complaint(setup, { caCertPath: undefined }),
    /interfaces\[0\]\.tls: expected a caCertPath with requireClientAuth, got none/,
  );
});

test('the rest of the chain must be certificates', async (t) => {
  const setup = await start(makeScope(t));
  const { certs } = setup.server;
  const broken = [
    '',
    'nonsense',
    certs.replace(/\n.{40}/, '\nx'),
    `${certs}\n${certs.slice(0, 200)}`,
  ];
  for (const text of broken) {
    await writeFile(join(setup.folder, 'rest.pem'), text);
    assert.match(
      await complaint(setup, { intermediateCertsPath: join(setup.folder, 'rest.pem') }),
      /interfaces\[0\]\.tls\.intermediateCertsPath: expected .*in PEM, got/,
    );
  }
});
