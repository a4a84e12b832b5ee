/** A daemon on a Node that shows its handles otherwise than they are known: it runs on Node’s own sockets, and says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Daemon, startDaemon } from './support/daemon.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';
import { route } from './support/route.ts';
import { openPeer, startEcho, startRefusing } from './support/tcp.ts';

/** Run before the program: a platform whose dials are made in another way. */
const OTHER_NODE = `
const whole = process.binding;
process.binding = (name) =>
  name === 'tcp_wrap'
    ? { ...whole.call(process, name), TCPConnectWrap: undefined }
    : whole.call(process, name);
`;

const WARNING = /sockets of Node/;

const start = async (scope: Scope, settings: object = {}): Promise<Daemon> => {
  const folder = await temporaryFolder(scope);
  const preload = pathToFileURL(await writeIn(folder, 'other-node.mjs', OTHER_NODE)).href;
  return startDaemon(
    scope,
    {
      ...settings,
      routers: [
        route('echo', [await startEcho(scope)]),
        route('none', [await startRefusing(scope)], { server: { connectTimeoutMs: 500 } }),
      ],
    },
    { before: `NODE_OPTIONS='--import ${preload}'` },
  );
};

const warnings = ({ log }: Daemon): readonly unknown[] =>
  log.filter(({ message }) => WARNING.test(message)).map(({ level, known }) => [level, known]);

const skip = process.platform !== 'linux';

test('streams pass both ways, ends and refusals too, and a shutdown lets them finish', {
  skip,
}, async (t) => {
  const daemon = await start(makeScope(t));
  const [echo = 0, none = 0] = daemon.ports;
  const peer = await openPeer(echo);
  assert.equal(await peer.echo('hello'), 'hello');
  assert.notEqual((await (await openPeer(none)).ended()).error, undefined);
  daemon.signal('SIGHUP');
  await daemon.logged(({ message }) => message === 'reloaded');
  daemon.signal('SIGTERM');
  await daemon.logged(({ message }) => message === 'stopped listening');
  assert.equal(await peer.echo('still here'), 'still here');
  peer.socket.end();
  assert.equal((await peer.ended()).error, undefined);
  assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
  assert.deepEqual(warnings(daemon), [['warn', 'v20, v24, v26']]);
});

test('on handles nothing is said of it', { skip }, async (t) => {
  const scope = makeScope(t);
  const daemon = await startDaemon(scope, { routers: [route('echo', [await startEcho(scope)])] });
  assert.deepEqual(warnings(daemon), []);
});
