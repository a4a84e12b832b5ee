/** `linkerd-tcp namerd` as a process, and routers that ask it: changes on live connections, unions, its end and return. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOOK_MS } from '../src/namerd/files/file-set.ts';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { ask } from './support/http.ts';
import { freePort, makeScope, type Scope, temporaryFolder } from './support/process.ts';
import { openPeer, startNamed } from './support/tcp.ts';

const isListening = ({ message }: { readonly message: string }): boolean =>
  message === 'namerd listening';

/** A namerd with these dtabs, or with those of a folder. */
const startNames = async (
  scope: Scope,
  { storage, namers, port = 0 }: { storage: object; namers?: readonly object[]; port?: number },
): Promise<{ readonly daemon: Daemon; readonly base: string }> => {
  const config = {
    storage,
    namers: namers ?? [],
    interfaces: [{ kind: 'io.l5d.httpController', port }],
  };
  const daemon = await startDaemon(scope, config, { command: 'namerd' });
  const { addr } = await daemon.logged(isListening);
  return { daemon, base: `http://${addr}` };
};

const inMemory = (text: string): object => ({
  kind: 'io.l5d.inMemory',
  namespaces: { default: text },
});

const startRouter = (scope: Scope, baseUrl: string): Promise<Daemon> =>
  startDaemon(scope, {
    routers: [
      {
        label: 'r',
        interpreter: {
          kind: 'io.l5d.namerd.http',
          baseUrl,
          namespace: 'default',
          periodSecs: 60,
          retry: { baseSeconds: 1, maxSeconds: 1 },
        },
        servers: [{ port: 0, dstName: '/svc/web' }],
      },
    ],
  });

const visit = async (port: number): Promise<string> => {
  const peer = await openPeer(port);
  const name = await peer.read(1);
  peer.socket.destroy();
  return name;
};

const put = (base: string, text: string) =>
  ask(`${base}/api/1/dtabs/default`, {
    method: 'PUT',
    headers: { 'content-type': 'application/dtab' },
    body: text,
  });

test('a change of the dtab reaches routers, whose streams go on', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const { base } = await startNames(scope, {
    storage: inMemory(`/svc/web => /$/inet/127.0.0.1/${a};`),
  });
  const router = await startRouter(scope, base);
  const [port = 0] = router.ports;
  const held = await openPeer(port);
  assert.equal(await held.read(1), 'A');
  assert.equal((await put(base, `/svc/web => /$/inet/127.0.0.1/${b}`)).status, 204);
  await eventually('the change is there', async () => (await visit(port)) === 'B');
  await eventually('only the first is left', async () => {
    return (await router.metric('l5d:srv:active')) === 1;
  });
  assert.ok(!held.socket.destroyed);
  held.socket.destroy();
});

test('a canary of a tenth gets every tenth connection', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const text = `/svc/web => 9 * /$/inet/127.0.0.1/${a} & 1 * /$/inet/127.0.0.1/${b};`;
  const { base } = await startNames(scope, { storage: inMemory(text) });
  const router = await startRouter(scope, base);
  const [port = 0] = router.ports;
  await visit(port);
  await eventually('both branches are known', async () => {
    const [first] = await router.routers();
    return first?.names[0]?.branches?.length === 2;
  });
  let canary = 0;
  for (let i = 0; i < 200; i++) canary += (await visit(port)) === 'B' ? 1 : 0;
  assert.ok(canary >= 18 && canary <= 22, `${canary} of 200`);
  assert.equal(await router.metric('l5d:balancer:branch:available'), 2);
});

test('names of files, and dtabs in files that outlive it', async (t) => {
  const scope = makeScope(t);
  const folder = await temporaryFolder(scope);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  await writeFile(join(folder, 'web'), `127.0.0.1 ${a}\n`);
  const dtabs = await temporaryFolder(scope);
  const port = await freePort();
  const setup = {
    storage: { kind: 'io.l5d.fs', rootDir: dtabs },
    namers: [{ kind: 'io.l5d.fs', rootDir: folder }],
    port,
  };
  const first = await startNames(scope, setup);
  assert.equal((await put(first.base, '/svc => /#/io.l5d.fs')).status, 204);
  const router = await startRouter(scope, first.base);
  const [from = 0] = router.ports;
  await eventually('the name is known', async () => (await visit(from)) === 'A');
  await writeFile(join(folder, 'web'), `127.0.0.1 ${b}\n`);
  await eventually('the file was read', async () => (await visit(from)) === 'B');
  first.daemon.signal('SIGKILL');
  await first.daemon.exit();
  assert.equal(await visit(from), 'B');
  const second = await startNames(scope, setup);
  const { body } = await ask(`${second.base}/api/1/dtabs/default`);
  assert.equal(body, '[{"prefix":"/svc","dst":"/#/io.l5d.fs"}]\n');
  await writeFile(join(folder, 'web'), `127.0.0.1 ${a}\n`);
  await eventually('it is asked again', async () => (await visit(from)) === 'A');
});

test('a file that is being written is not believed, whoever asks', async (t) => {
  const scope = makeScope(t);
  const rootDir = await temporaryFolder(scope);
  const file = join(rootDir, 'default.dtab');
  await writeFile(file, '/a => /b');
  const { base } = await startNames(scope, { storage: { kind: 'io.l5d.fs', rootDir } });
  const isWhole = async (): Promise<boolean> =>
    (await ask(`${base}/api/1/dtabs/default`)).body === '[{"prefix":"/a","dst":"/b"}]\n';
  await eventually('an answer between two looks', async () => {
    await eventually('the whole is known', isWhole);
    const begin = performance.now();
    writeFileSync(file, '');
    const wasWhole = await isWhole();
    writeFileSync(file, '/a => /b');
    // On a machine that is slower than the looks it may have been taken for the whole.
    if (performance.now() - begin >= LOOK_MS / 2) return false;
    assert.ok(wasWhole);
    return true;
  });
});

test('a reload changes namers and listeners, and cuts no watch of those that stay', async (t) => {
  const scope = makeScope(t);
  const [one, other] = [await temporaryFolder(scope), await temporaryFolder(scope)];
  await writeFile(join(one, 'web'), '127.0.0.1 1\n');
  await writeFile(join(other, 'web'), '127.0.0.1 2\n');
  const config = (rootDir: string, more: object = {}) => ({
    admin: { port: 0 },
    log: { format: 'json' },
    storage: inMemory('/svc => /#/io.l5d.fs'),
    namers: [{ kind: 'io.l5d.fs', rootDir }],
    interfaces: [{ kind: 'io.l5d.httpController', port: 0 }],
    ...more,
  });
  const daemon = await startDaemon(scope, config(one), { command: 'namerd' });
  const { addr } = await daemon.logged(isListening);
  const base = `http://${addr}`;
  const watched: string[] = [];
  const watch = request(`${base}/api/1/resolve/default?path=/svc/web&watch=1`, (reply) =>
    reply.setEncoding('utf8').on('data', (text: string) => watched.push(text)),
  ).end();
  t.after(() => watch.destroy());
  const isTold = (port: number) => async () => watched.at(-1)?.includes(`"port":${port},`) === true;
  await eventually('the first is told', isTold(1));
  await daemon.rewrite(config(other));
  assert.equal((await daemon.post('/reload')).status, 200);
  await eventually('the second is told', isTold(2));
  for (const [wrong, expected] of [
    [config(one, { storage: inMemory('/other => /b') }), /^storage: expected what it was/],
    [config(one, { interfaces: [] }), /expected an interface/],
  ] as const) {
    await daemon.rewrite(wrong);
    const { status, body } = await daemon.post('/reload');
    assert.equal(status, 400);
    assert.match(body, expected);
  }
  const port = await freePort();
  const interfaces = [{ kind: 'io.l5d.httpController', port }];
  const before = daemon.log.length;
  await daemon.rewrite(config(other, { interfaces }));
  daemon.signal('SIGHUP');
  await daemon.logged(isListening, before);
  assert.equal((await ask(`http://127.0.0.1:${port}/api/1/dtabs`)).body, '["default"]\n');
  await assert.rejects(ask(`${base}/api/1/dtabs`));
  assert.equal(watched.length, 2);
});

test('it ends when it is told to', async (t) => {
  const scope = makeScope(t);
  const { daemon, base } = await startNames(scope, { storage: inMemory('/a => /b') });
  assert.equal((await daemon.get('/ping')).body, 'pong\n');
  await ask(`${base}/api/1/dtabs`);
  assert.equal(await daemon.metric('l5d:namerd:requests'), 1);
  assert.equal((await put(base, '/a => /c')).status, 204);
  await daemon.logged(({ message }) => message === 'dtab changed');
  assert.equal((await ask(`${base}/api/1/dtabs`)).body, '["default"]\n');
  daemon.signal('SIGTERM');
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
});

test('a port that is taken is told, and it ends with 1', async (t) => {
  const scope = makeScope(t);
  const { base } = await startNames(scope, { storage: inMemory('/a => /b') });
  const port = Number(base.split(':').at(-1));
  const failing = startNames(scope, { storage: inMemory(''), port });
  await assert.rejects(failing, /interfaces\[0\]\.port/);
});
