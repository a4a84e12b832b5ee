/** Plugins in the daemon: all that they may give, on real sockets, in this process and with workers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogLine, startDaemon } from './support/daemon.ts';
import { WHOLE, writeIn } from './support/plugins.ts';
import { makeScope, temporaryFolder } from './support/process.ts';
import { openPeer, startNamed } from './support/tcp.ts';

const visit = async (port: number): Promise<string> => {
  const peer = await openPeer(port);
  const name = await peer.read(1);
  peer.socket.destroy();
  return name;
};

/** Is turned away; says how. */
const reset = async (port: number): Promise<string | undefined> =>
  (await (await openPeer(port)).ended()).error;

for (const workers of [0, 1])
  test(`operators, namers, interpreters and identifiers of one’s own (workers: ${workers})`, async (t) => {
    const scope = makeScope(t);
    const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
    const folder = await temporaryFolder(scope);
    const plugin = await writeIn(folder, 'whole.mjs', WHOLE);
    const gate = (open: boolean) => [{ kind: 'com.example.gate', open }];
    const config = (open: boolean) => ({
      plugins: [plugin],
      workers,
      namers: [{ kind: 'com.example.shard', port: a }],
      routers: [
        {
          label: 'named',
          dtab: '/svc => /#/com.example.shard',
          operators: [...gate(open), { kind: 'io.l5d.concurrencyLimit', max: 1, by: 'router' }],
          servers: [{ port: 0, identify: [{ kind: 'com.example.tenant' }] }],
        },
        {
          label: 'fixed',
          interpreter: { kind: 'com.example.fixed', port: b },
          servers: [
            {
              port: 0,
              identify: [{ kind: 'com.example.tenant', of: '10.0.0.1' }, { dst: '/svc/else' }],
            },
          ],
        },
      ],
    });
    const daemon = await startDaemon(scope, config(true));
    const portOf = async (rt: string) => {
      const views = await daemon.routers();
      const view = views.find(({ label }) => label === rt);
      return Number(view?.servers[0]?.address.split(':')[1]);
    };
    const [named, fixed] = [await portOf('named'), await portOf('fixed')];
    const isOver = ({ message }: LogLine) => message === 'connection closed';
    assert.deepEqual([await visit(named), await visit(fixed)], ['A', 'B']);
    await daemon.logged(({ message }) => message === 'an identifier broke');
    await daemon.logged(({ message, rt }) => message === 'connection closed' && rt === 'named');
    // One at a time, and an end makes room.
    const first = await openPeer(named);
    await first.read(1);
    assert.equal(await reset(named), 'ECONNRESET');
    const line = await daemon.logged(({ reason }) => reason?.startsWith('operator ') === true);
    assert.match(
      String(line.reason),
      /^operator \(io\.l5d\.concurrencyLimit .*: 1 at one time, router all\)$/,
    );
    const from = daemon.log.length;
    first.socket.destroy();
    await daemon.logged(isOver, from);
    assert.equal(await visit(named), 'A');
    // A reload changes the operators, and refusals are counted by their reason.
    await daemon.rewrite(config(false));
    assert.equal((await daemon.post('/reload')).status, 200);
    assert.equal(await reset(named), 'ECONNRESET');
    assert.equal(await daemon.metric('l5d:srv:close', 'reason="operator"'), 2);
  });

for (const workers of [0, 1])
  test(`a load balancer of one’s own (workers: ${workers})`, async (t) => {
    const scope = makeScope(t);
    const ports = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
    const plugin = await writeIn(await temporaryFolder(scope), 'whole.mjs', WHOLE);
    const config = (loadBalancer: object) => ({
      plugins: [plugin],
      workers,
      routers: [
        {
          label: 'r',
          interpreter: {
            kind: 'static',
            names: { '/svc/a': ports.map((port) => `127.0.0.1:${port}`) },
          },
          client: { kind: 'io.l5d.global', loadBalancer },
          servers: [{ port: 0, dstName: '/svc/a' }],
        },
      ],
    });
    const daemon = await startDaemon(scope, config({ kind: 'com.example.turns' }));
    const [view] = await daemon.routers();
    const port = Number(view?.servers[0]?.address.split(':')[1]);
    const visits = async (): Promise<string> => {
      const names: string[] = [];
      for (let i = 0; i < 4; i++) names.push(await visit(port));
      return names.join('');
    };
    assert.equal(await visits(), 'ABAB');
    // Passing over two of two stays with one.
    await daemon.rewrite(config({ kind: 'com.example.turns', step: 2 }));
    assert.equal((await daemon.post('/reload')).status, 200);
    assert.equal(await visits(), 'AAAA');
  });
