/** Namers as the configuration names them, in the daemon: Consul, Kubernetes by a kubeconfig, DNS’s platform; and `--check`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startConsul } from './support/consul-double.ts';
import { launch, startDaemon } from './support/daemon.ts';
import { eventually } from './support/eventually.ts';
import { slice, startKube } from './support/kube-double.ts';
import { makeScope, temporaryFolder } from './support/process.ts';
import { openPeer, startNamed } from './support/tcp.ts';

const visit = async (port: number): Promise<string> => {
  const peer = await openPeer(port);
  const name = await peer.read(1);
  peer.socket.destroy();
  return name;
};

const kubeconfig = (port: number): string =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { tokenFile: 'token' } }],
  });

test('names of all systems in one dtab, and secrets are not shown', async (t) => {
  const scope = makeScope(t);
  const [a, b] = [await startNamed(scope, 'A'), await startNamed(scope, 'B')];
  const [consul, kube] = [await startConsul(t), await startKube(t)];
  consul.set('web', { port: a, address: '127.0.0.1' });
  kube.token = 'kube-secret';
  kube.set(slice('web-1', ['127.0.0.1'], { port: b }));
  const folder = await temporaryFolder(scope);
  await writeFile(join(folder, 'kubeconfig'), kubeconfig(kube.port));
  await writeFile(join(folder, 'token'), 'kube-secret\n');
  const server = (dstName: string) => ({ port: 0, dstName });
  const daemon = await startDaemon(scope, {
    namers: [
      { kind: 'io.l5d.consul', host: '127.0.0.1', port: consul.port, token: 'consul-secret' },
      { kind: 'io.l5d.k8s', kubeconfig: join(folder, 'kubeconfig') },
    ],
    routers: [
      {
        label: 'r',
        dtab: `/svc/c => /#/io.l5d.consul/dc1/web;
/svc/k => /#/io.l5d.k8s/prod/http/web;
/svc/l => /$/inet/localhost/${a};
/svc/e => /#/io.l5d.consul/dc1/gone | /#/io.l5d.k8s/prod/http/web;`,
        servers: ['/svc/c', '/svc/k', '/svc/l', '/svc/e'].map(server),
      },
    ],
  });
  const [c = 0, k = 0, l = 0, e = 0] = daemon.ports;
  assert.deepEqual(
    [await visit(c), await visit(k), await visit(l), await visit(e)],
    ['A', 'B', 'A', 'B'],
  );
  consul.set('gone', { port: a, address: '127.0.0.1' });
  await eventually('the first alternative is there', async () => (await visit(e)) === 'A');
  assert.equal(consul.asked[0]?.headers['x-consul-token'], 'consul-secret');
  const shown = (await daemon.get('/config.json')).body;
  assert.ok(!shown.includes('secret'), shown);
  assert.ok(!JSON.stringify(daemon.log).includes('secret'));
});

const MISTAKES: readonly (readonly [what: string, namer: object, line: RegExp])[] = [
  [
    'a kubeconfig that is not there',
    { kubeconfig: 'nosuch' },
    /namers\[0\]\.kubeconfig: cannot read nosuch: no such file/,
  ],
  [
    'one without the context',
    { kubeconfig: 'k', context: 'x' },
    /namers\[0\]\.kubeconfig: k: expected a context "x", got none/,
  ],
  [
    'two servers',
    { kubeconfig: 'k', host: 'h' },
    /namers\[0\]\.host: expected one of host and kubeconfig, got both/,
  ],
  [
    'a context of nothing',
    { context: 'c' },
    /namers\[0\]\.context: expected a kubeconfig with it, got none/,
  ],
  [
    'a label that is none',
    { labelSelector: 'a b' },
    /namers\[0\]\.labelSelector: expected the key of a label/,
  ],
];

for (const [what, namer, line] of MISTAKES)
  test(`--check tells ${what}`, async (t) => {
    const folder = await temporaryFolder(makeScope(t));
    await writeFile(join(folder, 'k'), kubeconfig(1));
    const config = join(folder, 'c.json');
    await writeFile(
      config,
      JSON.stringify({ namers: [{ kind: 'io.l5d.k8s', ...namer }], routers: [] }),
    );
    const { child, exited } = launch(['--check', config]);
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    const [{ code }] = await Promise.all([exited, once(child.stderr, 'close')]);
    assert.equal(code, 78);
    assert.match(text, line);
    assert.equal(text.split('\n').length, 2, text);
  });
