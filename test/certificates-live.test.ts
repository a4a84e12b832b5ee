/** Certificates that are replaced under a running daemon: new handshakes get the new one, streams do not notice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import tls from 'node:tls';
import { startDaemon } from './support/daemon.ts';
import { eventually, within } from './support/eventually.ts';
import { makeIdentity } from './support/identity.ts';
import { freePort, makeScope, type Scope } from './support/process.ts';
import { route } from './support/route.ts';
import { openPeer, refused, startEcho } from './support/tcp.ts';

const connect = async (scope: Scope, port: number, session?: Buffer): Promise<tls.TLSSocket> => {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
  const socket = tls.connect({ ...options, ...(session && { session }) });
  scope.after(() => {
    socket.destroy();
  });
  await within('a handshake', once(socket, 'secureConnect'));
  return socket;
};

const nameOf = (socket: tls.TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

const echo = async (socket: tls.TLSSocket, text: string): Promise<string> => {
  const heard = once(socket, 'data');
  socket.write(text);
  const [data] = await within('an echo', heard);
  return String(data);
};

for (const workers of [0, 1])
  test(`a pair is swapped as one, a broken one keeps the old (workers: ${workers})`, async (t) => {
    const scope = makeScope(t);
    const [one, two] = [await makeIdentity(scope, 'one'), await makeIdentity(scope, 'two')];
    const [oneCert = '', twoCert = ''] = [one.certs[0], two.certs[0]];
    const routers = [
      route('tls', [await startEcho(scope)], { server: { tls: { defaultIdentity: one } } }),
    ];
    const daemon = await startDaemon(scope, { workers, log: { format: 'json' }, routers });
    const [port = 0] = daemon.ports;
    const old = await connect(scope, port);
    assert.equal(nameOf(old), 'one');
    // Half of the pair: it does not belong to the key.
    await copyFile(twoCert, `${oneCert}.new`);
    await rename(`${oneCert}.new`, oneCert);
    const { error } = await daemon.logged(({ message }) => message === 'the old certificates stay');
    assert.match(String(error), /tls\.defaultIdentity: .*private key does not belong/);
    assert.equal(nameOf(await connect(scope, port)), 'one');
    await writeFile(one.privateKey, await readFile(two.privateKey));
    await daemon.logged(({ message }) => message === 'certificates reloaded');
    assert.equal(nameOf(await connect(scope, port)), 'two');
    assert.equal(await echo(old, 'still here'), 'still here');
  });

test('a session goes on with whichever worker takes the connection', async (t) => {
  const scope = makeScope(t);
  const identity = await makeIdentity(scope, 'one');
  const routers = [
    route('tls', [await startEcho(scope)], { server: { tls: { defaultIdentity: identity } } }),
  ];
  const daemon = await startDaemon(scope, { workers: 2, log: { format: 'json' }, routers });
  const [port = 0] = daemon.ports;
  const first = await connect(scope, port);
  const [session] = (await within('a session', once(first, 'session'))) as [Buffer];
  const workers = (): Set<unknown> =>
    new Set(
      daemon.log.flatMap(({ message, worker }) =>
        message === 'connection closed' ? [worker] : [],
      ),
    );
  await eventually('both workers have served', async () => {
    const socket = await connect(scope, port, session);
    assert.equal(socket.isSessionReused(), true);
    assert.equal(await echo(socket, 'hello'), 'hello');
    socket.destroy();
    return workers().size === 2;
  });
});

test('a server whose certificate comes late is not opened before, and what runs goes on', async (t) => {
  const scope = makeScope(t);
  const identity = await makeIdentity(scope, 'late');
  const echoPort = await startEcho(scope);
  const port = await freePort();
  const [cert = ''] = identity.certs;
  await rename(cert, `${cert}.away`);
  const first = route('first', [echoPort]);
  const late = route('late', [echoPort], { server: { port, tls: { defaultIdentity: identity } } });
  const admin = { port: 0 };
  const log = { format: 'json' };
  const daemon = await startDaemon(scope, { admin, log, routers: [first] });
  await daemon.rewrite({ admin, log, routers: [first, late] });
  daemon.signal('SIGHUP');
  const { error } = await daemon.logged(({ level }) => level === 'error');
  assert.match(String(error), /routers\[1\]\.servers\[0\]\.tls\.defaultIdentity.*\.pem/);
  await refused(port);
  const peer = await openPeer(daemon.ports[0] ?? 0);
  assert.equal(await peer.echo('first'), 'first');
  await rename(`${cert}.away`, cert);
  daemon.signal('SIGHUP');
  await daemon.logged(({ srv }) => String(srv).endsWith(`:${port}`));
  assert.equal(nameOf(await connect(scope, port)), 'late');
});
