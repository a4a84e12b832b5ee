/** PROXY headers from haproxy in front, and to haproxy behind. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import {
  findProgram,
  freePort,
  makeScope,
  startService,
  temporaryFolder,
} from '../support/process.ts';
import { route } from '../support/route.ts';
import { openPeer, startEcho } from '../support/tcp.ts';

const scope = makeScope({ after });
let folder: string;
let echo: number;

before(async () => {
  folder = await temporaryFolder(scope);
  echo = await startEcho(scope);
});

/** haproxy before the daemon, or behind it; what it logs of its clients is in the file. */
const startHaproxy = async (bind: string, target: number, send: string) => {
  const port = await freePort();
  const config = join(folder, `haproxy-${port}.cfg`);
  await writeFile(
    config,
    `global
  log stdout format raw daemon
defaults
  mode tcp
  log global
  log-format "client %ci:%cp"
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend front
  bind 127.0.0.1:${port} ${bind}
  default_backend back
backend back
  server one 127.0.0.1:${target} ${send}
`,
  );
  const log = `${config}.log`;
  const command = ['sh', '-c', `exec ${findProgram('haproxy')} -db -f ${config} >${log}`];
  await startService(scope, command, { port });
  return { port, log };
};

/** Waits until haproxy says that it has served this client. */
const hasServed = (log: string, client: unknown): Promise<unknown> =>
  eventually(`haproxy to tell of ${client}`, async () =>
    (await readFile(log, 'utf8')).split('\n').includes(`client ${client}`),
  );

/** One echo through it all. */
const talk = async (port: number): Promise<void> => {
  const peer = await openPeer(port);
  assert.equal(await peer.echo('hello'), 'hello');
  peer.socket.end();
  await peer.ended();
};

for (const [version, send] of [
  ['1', 'send-proxy'],
  ['2', 'send-proxy-v2'],
] as const)
  test(`haproxy in front tells whose a connection is (version ${version})`, async (t) => {
    const daemon = await startDaemon(makeScope(t), {
      log: { format: 'json' },
      routers: [route('in', [echo], { server: { proxyProtocol: { trust: '127.0.0.1' } } })],
    });
    const { port, log } = await startHaproxy('', daemon.ports[0] ?? 0, send);
    await talk(port);
    const { src, peer } = await daemon.logged(({ message }) => message === 'connection closed');
    await hasServed(log, src);
    assert.notEqual(peer, src);
  });

for (const version of ['v1', 'v2'])
  test(`haproxy behind learns whose a connection is (${version})`, async (t) => {
    const { port, log } = await startHaproxy('accept-proxy', echo, '');
    const daemon = await startDaemon(makeScope(t), {
      log: { format: 'json' },
      routers: [route('out', [port], { client: { proxyProtocol: version } })],
    });
    await talk(daemon.ports[0] ?? 0);
    const { src } = await daemon.logged(({ message }) => message === 'connection closed');
    await hasServed(log, src);
  });
