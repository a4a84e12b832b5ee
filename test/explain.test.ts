/** Why a connection is routed as it is: by the command on a file, and by the admin server of a running daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand, startDaemon } from './support/daemon.ts';
import { writeIn } from './support/plugins.ts';
import { makeScope, type Scope, temporaryFolder } from './support/process.ts';
import { openPeer, startNamed } from './support/tcp.ts';

const CONFIG = (web: number) => `
namers:
- {kind: io.l5d.fs, rootDir: .}
routers:
- label: shop
  dtab: |
    /svc => /#/io.l5d.fs;
  operators:
  - {kind: io.l5d.rateLimit, perSecond: 1000}
  servers:
  - port: ${web}
    identify:
    - {sni: "*.beta.example.com", dst: /svc/beta}
    - {sni: "*.example.com", alpn: h2, dst: /svc/web}
    - {sni: "*.example.com", dst: /svc/web}
    - {dst: /svc/else}
    peek: {timeoutMs: 50}
    sources: {deny: 203.0.113.0/24}
  client:
    kind: io.l5d.static
    configs:
    - {prefix: /, connectTimeoutMs: 400}
    - {prefix: /svc/web, maxWaiters: 7}
`;

const run = async (args: readonly string[]) => {
  const { code, out } = await runCommand(args);
  return { code, lines: out.trimEnd().split('\n') };
};

const write = async (scope: Scope): Promise<string> => {
  const folder = await temporaryFolder(scope);
  await writeIn(folder, 'web', '10.0.0.1 80\n');
  return writeIn(folder, 'c.yaml', CONFIG(8443));
};

test('the command tells each rule, the name, its delegation and the limits with their lines', async (t) => {
  const file = await write(makeScope(t));
  const { code, lines } = await run([
    'explain',
    file,
    '--server',
    '8443',
    '--sni',
    'a.example.com',
  ]);
  assert.equal(code, 0);
  assert.deepEqual(lines.slice(0, 13), [
    'server routers[0].servers[0] (line 11) of router shop',
    'rules:',
    '  routers[0].servers[0].identify[0] (line 13): sni: wants *.beta.example.com, got a.example.com',
    '  routers[0].servers[0].identify[1] (line 14): alpn: wants h2, got none',
    '  routers[0].servers[0].identify[2] (line 15): holds',
    '  routers[0].servers[0].identify[3] (line 16): not reached',
    'name: /svc/web',
    'operators, which may change that or refuse it:',
    '  routers[0].operators[0] (line 9): io.l5d.rateLimit',
    'delegation:',
    '  /svc/web',
    '    /#/io.l5d.fs/web: 10.0.0.1:80   [/svc => /#/io.l5d.fs]',
    'limits:',
  ]);
  for (const line of [
    '  server.connectTimeoutMs: 10000   default',
    '  client.connectTimeoutMs: 400   routers[0].client.configs[0].connectTimeoutMs (line 22)',
    '  client.maxWaiters: 7   routers[0].client.configs[1].maxWaiters (line 23)',
    '  client.emptyWaitMs: 1000   default',
  ])
    assert.ok(lines.includes(line), line);
});

test('what leads nowhere, and what is asked wrongly', async (t) => {
  const file = await write(makeScope(t));
  const denied = await run([
    'explain',
    file,
    '--server',
    '8443',
    '--source',
    '203.0.113.7',
    '--why-not',
    '10.0.0.1:80',
  ]);
  assert.equal(denied.code, 1);
  assert.equal(denied.lines[1], '  its sources do not let the client in');
  assert.equal(denied.lines.at(-1), '  the sources of the server do not let the client in');
  const wrong = await run(['explain', file, '--server', '1']);
  assert.deepEqual(wrong, {
    code: 1,
    lines: ['linkerd-tcp: expected the port of a server, one of 8443, got "1"'],
  });
  assert.equal((await run(['explain', file])).code, 64);
});

test('a running daemon tells the candidates, what the next connection would meet, and why not', async (t) => {
  const scope = makeScope(t);
  const [a, b, c] = [
    await startNamed(scope, 'A'),
    await startNamed(scope, 'B'),
    await startNamed(scope, 'C'),
  ];
  const names = { '/svc/a': [`127.0.0.1:${a}`, `127.0.0.1:${b}`, `127.0.0.1:${c} * 0`] };
  const daemon = await startDaemon(scope, {
    routers: [
      {
        label: 'r',
        interpreter: { kind: 'static', names },
        servers: [{ port: 0, dstName: '/svc/a' }],
      },
    ],
  });
  const [port = 0] = daemon.ports;
  const peer = await openPeer(port);
  await peer.read(1);
  const ask = async (more: string) =>
    JSON.parse((await daemon.get(`/explain?server=0${more}`)).body);
  const told = await ask('');
  assert.deepEqual(
    [told.router, told.dst, told.live.state, told.live.endpoints.length],
    ['r', '/svc/a', 'bound', 3],
  );
  const addresses = [`127.0.0.1:${a}`, `127.0.0.1:${b}`];
  assert.ok(addresses.includes(told.next.chosen));
  assert.deepEqual(
    told.next.drawn.map(({ address }: { address: string }) => address).sort(),
    addresses.sort(),
  );
  // To ask changes nothing: the answer is the same again, and true.
  assert.deepEqual((await ask('')).next, told.next);
  assert.deepEqual((await ask(`&why-not=127.0.0.1:${c}`)).whyNot, [
    'its weight is 0: it keeps its streams, and gets no new ones',
  ]);
  assert.deepEqual((await ask('&why-not=10.9.9.9:1')).whyNot, ['the name does not have it']);
  assert.match(
    (await ask(`&why-not=127.0.0.1:${a}`)).whyNot[0],
    /^it takes connections: by its weight 50 % of them$/,
  );
  assert.equal((await daemon.get('/explain?server=x')).status, 400);
  peer.socket.destroy();
});
